const crypto = require("crypto");

function seal(password, text) {
  // ruleid: javascript-weak-cipher
  const cipher = crypto.createCipher("aes-256-cbc", password);
  return cipher.update(text, "utf8", "hex") + cipher.final("hex");
}

function sealBlocks(key, text) {
  // ruleid: javascript-weak-cipher
  const cipher = crypto.createCipheriv("aes-128-ecb", key, null);
  return cipher.update(text, "utf8", "hex") + cipher.final("hex");
}

function sealSafely(key, text) {
  const nonce = crypto.randomBytes(12);
  // ok: javascript-weak-cipher
  const cipher = crypto.createCipheriv("aes-256-gcm", key, nonce);
  return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
}

function openSafely(key, nonce, sealed) {
  // ok: javascript-weak-cipher
  return crypto.createDecipheriv("aes-256-gcm", key, nonce).update(sealed);
}
