package secgate.main

decision := {"verdicts": [], "obligations": [], "exemptions": [], "elements": []}
