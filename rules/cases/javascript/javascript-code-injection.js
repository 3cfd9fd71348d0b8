const vm = require("vm");
const express = require("express");

const app = express();

app.post("/calculate", (req, res) => {
  // ruleid: javascript-code-injection
  res.json(eval(req.body.expression));
});

app.post("/run", (req, res) => {
  const script = req.body.script;
  // ruleid: javascript-code-injection
  res.json(vm.runInNewContext(script, {}));
});

app.post("/parse", (req, res) => {
  // ok: javascript-code-injection
  res.json(JSON.parse(req.body.text));
});

app.post("/double", (req, res) => {
  const rate = Number(req.body.rate);
  // ok: javascript-code-injection
  res.json(eval("2 * " + rate));
});
