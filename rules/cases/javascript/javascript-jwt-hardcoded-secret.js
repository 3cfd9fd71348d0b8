const jwt = require("jsonwebtoken");

function issue(user) {
  // ruleid: javascript-jwt-hardcoded-secret
  return jwt.sign({ sub: user.name }, "correct-horse-battery", { expiresIn: "1h" });
}

function read(token) {
  // ruleid: javascript-jwt-hardcoded-secret
  return jwt.verify(token, "correct-horse-battery", { algorithms: ["HS256"] });
}

function issueFromEnvironment(user) {
  // ok: javascript-jwt-hardcoded-secret
  return jwt.sign({ sub: user.name }, process.env.TOKEN_KEY, { expiresIn: "1h" });
}

function readFromSettings(token, settings) {
  // ok: javascript-jwt-hardcoded-secret
  return jwt.verify(token, settings.tokenKey, { algorithms: ["HS256"] });
}
