package secgate.lib.newness

judged := false

is_new(_) := false
