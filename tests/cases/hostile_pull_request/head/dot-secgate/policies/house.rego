package secgate.rules.house

deny := set()
