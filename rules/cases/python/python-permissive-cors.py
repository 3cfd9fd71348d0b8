from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from flask import Flask
from flask_cors import CORS

app = Flask(__name__)
api = FastAPI()

# ruleid: python-permissive-cors
CORS(app, supports_credentials=True)
# ruleid: python-permissive-cors
CORS(app, origins="*", supports_credentials=True)
# ruleid: python-permissive-cors
api.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True, allow_methods=["*"])

# ok: python-permissive-cors
CORS(app, origins=["https://shop.example.org"], supports_credentials=True)
# ok: python-permissive-cors
api.add_middleware(CORSMiddleware, allow_origins=["https://shop.example.org"], allow_credentials=True)
# A public interface without cookies may be called from anywhere.
# ok: python-permissive-cors
api.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET"])
