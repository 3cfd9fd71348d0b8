const escapeHtml = require("escape-html");
const express = require("express");

const app = express();

app.get("/greet", (req, res) => {
  // ruleid: javascript-reflected-xss
  res.send(`<p>Welcome, ${req.query.name}</p>`);
});

app.get("/missing", (req, res) => {
  // ruleid: javascript-reflected-xss
  res.status(404).send("<h1>Not found: " + req.query.path + "</h1>");
});

app.get("/greet2", (req, res) => {
  // ok: javascript-reflected-xss
  res.send(`<p>Welcome, ${escapeHtml(req.query.name)}</p>`);
});

app.post("/echo", (req, res) => {
  // ok: javascript-reflected-xss
  res.send(req.body);
});

app.get("/greet3", (req, res) => {
  // ok: javascript-reflected-xss
  res.render("greet", { name: req.query.name });
});
