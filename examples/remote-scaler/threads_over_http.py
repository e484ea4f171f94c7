"""The same over HTTP: TOKEN=secret python3 threads_over_http.py 8200"""
import hmac, json, os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threads import call

token, lock = f"Bearer {os.environ['TOKEN']}", threading.Lock()

class Calls(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        params = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not hmac.compare_digest(self.headers.get("authorization", ""), token): return self.answer(401, None)
        try:
            with lock: self.answer(200, call(self.path.removeprefix("/v1/"), **params))
        except LookupError as e: self.answer(422, {"code": e.args[0], "message": e.args[1]})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status), self.send_header("content-length", str(len(body))), self.end_headers(), self.wfile.write(body)

if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Calls)
    print(f"listening on port {server.server_port}", flush=True)
    server.serve_forever()
