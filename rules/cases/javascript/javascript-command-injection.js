const express = require("express");
const { exec, execFile } = require("child_process");
const cp = require("child_process");

const app = express();

app.get("/ping", (req, res) => {
  // ruleid: javascript-command-injection
  exec("ping -c 1 " + req.query.host, (error, stdout) => res.send(stdout));
});

app.post("/convert", (req, res) => {
  const { source } = req.body;
  // ruleid: javascript-command-injection
  const out = cp.execSync(`convert ${source} out.png`);
  res.send(out);
});

app.get("/trace", (req, res) => {
  // ok: javascript-command-injection
  execFile("traceroute", ["-n", req.query.host], (error, stdout) => res.send(stdout));
});

app.get("/uptime", (req, res) => {
  // ok: javascript-command-injection
  exec("uptime", (error, stdout) => res.send(stdout));
});

app.get("/match", (req, res) => {
  // A regular expression's exec, not a shell's.
  // ok: javascript-command-injection
  res.json(/^[a-z]+$/.exec(req.query.word));
});
