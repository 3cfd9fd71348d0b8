const crypto = require("crypto");

function reset(user) {
  // ruleid: javascript-insecure-random-token
  user.resetToken = Math.random().toString(36).slice(2);
}

function start() {
  // ruleid: javascript-insecure-random-token
  const otp = Math.floor(Math.random() * 1000000);
  return otp;
}

function resetSafely(user) {
  // ok: javascript-insecure-random-token
  user.resetToken = crypto.randomBytes(32).toString("hex");
}

function roll() {
  // ok: javascript-insecure-random-token
  const dice = 1 + Math.floor(Math.random() * 6);
  return dice;
}
