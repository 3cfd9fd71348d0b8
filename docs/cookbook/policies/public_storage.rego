# A bucket that anybody can read stands in one folder
#
# A website's files are meant to be public. Anywhere else public storage is how data is lost, old or new.
package secgate.rules.public_storage

deny contains {"finding": f.fingerprint, "reason": "public storage belongs in a folder for it", "remedy": remedy} if {
	remedy := sprintf("make it private, or move it to %s", [concat(" or ", data.public.folders)])
	some f in input.findings
	f.weakness == "public-storage"
	not meant(f)
}

meant(f) if {
	some folder in data.public.folders
	startswith(f.path, folder)
}
