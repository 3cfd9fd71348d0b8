const jwt = require("jsonwebtoken");

function lenient(token, key) {
  // ruleid: javascript-jwt-unverified
  return jwt.verify(token, key, { algorithms: ["HS256", "none"] });
}

function identify(req, res, next) {
  // ruleid: javascript-jwt-unverified
  req.user = jwt.decode(req.headers.authorization);
  next();
}

function strict(token, key) {
  // ok: javascript-jwt-unverified
  return jwt.verify(token, key, { algorithms: ["RS256"] });
}

function expiry(token) {
  // Read for display only; nothing is decided by it.
  // ok: javascript-jwt-unverified
  return jwt.decode(token).exp;
}
