const https = require("https");
const fs = require("fs");

// ruleid: javascript-tls-verification-off
const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });

function trustAll() {
  // ruleid: javascript-tls-verification-off
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
}

// ok: javascript-tls-verification-off
const strictAgent = new https.Agent({ keepAlive: true, rejectUnauthorized: true });

function trustOne() {
  // ok: javascript-tls-verification-off
  return new https.Agent({ ca: fs.readFileSync("/etc/ssl/shop-ca.pem") });
}

module.exports = { agent, trustAll, strictAgent, trustOne };
