const express = require("express");

const app = express();
const PAGES = ["/orders", "/profile"];

app.get("/login", (req, res) => {
  // ruleid: javascript-open-redirect
  res.redirect(req.query.next);
});

app.get("/leave", (req, res) => {
  const target = req.query.to || "/";
  // ruleid: javascript-open-redirect
  res.redirect(302, target);
});

app.get("/old/:slug", (req, res) => {
  // ok: javascript-open-redirect
  res.redirect(`/articles/${req.params.slug}`);
});

app.get("/login2", (req, res) => {
  const target = req.query.next;
  if (!PAGES.includes(target)) {
    return res.redirect("/");
  }
  // ok: javascript-open-redirect
  return res.redirect(target);
});
