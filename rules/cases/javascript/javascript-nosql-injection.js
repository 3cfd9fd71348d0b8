const express = require("express");
const User = require("./user");

const app = express();

app.post("/login", async (req, res) => {
  // ruleid: javascript-nosql-injection
  const user = await User.findOne({ name: req.body.name, pin: req.body.pin });
  res.json({ ok: Boolean(user) });
});

app.post("/remove", async (req, res) => {
  const { name } = req.body;
  // ruleid: javascript-nosql-injection
  await User.deleteMany({ name });
  res.end();
});

app.post("/login2", async (req, res) => {
  // ok: javascript-nosql-injection
  const user = await User.findOne({ name: String(req.body.name), pin: String(req.body.pin) });
  res.json({ ok: Boolean(user) });
});

app.get("/user/:name", async (req, res) => {
  // A part of the path is always text.
  // ok: javascript-nosql-injection
  res.json(await User.findOne({ name: req.params.name }));
});
