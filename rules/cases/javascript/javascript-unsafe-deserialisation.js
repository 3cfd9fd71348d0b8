const express = require("express");
const serialize = require("node-serialize");
const v8 = require("v8");

const app = express();

app.get("/cart", (req, res) => {
  const saved = Buffer.from(req.cookies.cart, "base64").toString();
  // ruleid: javascript-unsafe-deserialisation
  res.json(serialize.unserialize(saved));
});

app.post("/state", (req, res) => {
  // ruleid: javascript-unsafe-deserialisation
  res.json(v8.deserialize(req.body));
});

app.get("/cart2", (req, res) => {
  // ok: javascript-unsafe-deserialisation
  res.json(JSON.parse(req.cookies.cart));
});

app.get("/default", (req, res) => {
  // ok: javascript-unsafe-deserialisation
  res.json(serialize.unserialize('{"lines": []}'));
});
