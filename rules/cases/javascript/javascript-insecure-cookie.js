const express = require("express");

const app = express();

app.post("/login", (req, res) => {
  // ruleid: javascript-insecure-cookie
  res.cookie("session_id", "x", { httpOnly: false, secure: true });
  // ruleid: javascript-insecure-cookie
  res.cookie("authToken", "x");
  res.end();
});

app.post("/login2", (req, res) => {
  // ok: javascript-insecure-cookie
  res.cookie("session_id", "x", { httpOnly: true, secure: true, sameSite: "lax" });
  // ok: javascript-insecure-cookie
  res.cookie("language", "en");
  res.end();
});
