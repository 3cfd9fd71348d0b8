const _ = require("lodash");
const express = require("express");

const app = express();
const settings = {};

app.post("/settings", (req, res) => {
  // ruleid: javascript-prototype-pollution
  _.merge(settings, req.body);
  res.end();
});

app.post("/setting", (req, res) => {
  const { group, key, value } = req.body;
  // ruleid: javascript-prototype-pollution
  settings[group][key] = value;
  res.end();
});

app.post("/settings2", (req, res) => {
  // ok: javascript-prototype-pollution
  Object.assign(settings, { theme: String(req.body.theme) });
  res.end();
});

app.post("/settings3", (req, res) => {
  const GROUPS = ["page", "mail"];
  const group = req.body.group;
  if (!GROUPS.includes(group)) {
    return res.status(400).end();
  }
  // ok: javascript-prototype-pollution
  settings[group]["theme"] = req.body.value;
  return res.end();
});
