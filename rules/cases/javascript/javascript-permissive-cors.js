const cors = require("cors");
const express = require("express");

const app = express();

// ruleid: javascript-permissive-cors
app.use(cors({ origin: true, credentials: true }));

app.use((req, res, next) => {
  // ruleid: javascript-permissive-cors
  res.setHeader("Access-Control-Allow-Origin", req.headers.origin);
  next();
});

// ok: javascript-permissive-cors
app.use(cors({ origin: ["https://shop.example.org"], credentials: true }));

// A public interface without cookies may be called from anywhere.
// ok: javascript-permissive-cors
app.use("/public", cors({ origin: "*" }));
