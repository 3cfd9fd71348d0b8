const crypto = require("crypto");

function signature(message) {
  // ruleid: javascript-weak-hash
  return crypto.createHash("md5").update(message).digest("hex");
}

function etag(content) {
  // ruleid: javascript-weak-hash
  const hash = crypto.createHash("SHA1");
  return hash.update(content).digest("base64");
}

function strong(message) {
  // ok: javascript-weak-hash
  return crypto.createHash("sha256").update(message).digest("hex");
}

function strongest(key, message) {
  // ok: javascript-weak-hash
  return crypto.createHmac("sha512", key).update(message).digest("hex");
}
