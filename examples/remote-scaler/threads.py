"""A Dormouse scaler in Python. Its platform are HTTP servers in threads of this program, which is spoken with over stdio."""
import itertools, json, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Hello(BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200), self.end_headers(), self.wfile.write(b"Hello from a thread\n")

webs, number, born = {}, itertools.count(1), time.time_ns()  # of each name: what is told of it, and its servers by id

def call(method, ref=None, options=None, replicas=0, ifVersion=None, **_):
    unique, now = f"{born}.{next(number)}", time.time_ns() // 1_000_000
    if method == "hello":
        for name, policy in options["resources"].items():
            told = {"ref": {"namespace": "default", "name": name}, "policy": policy, "ports": [{"name": "http", "number": 80}]}
            webs.setdefault(name, ({**told, **scaled(0, unique, now), "wakeReplicas": 1, "createdAt": now}, {}))
        return {"contract": 1, "name": "threads", "capabilities": {"replicas": "many", "compareAndSet": True, "settleWithinMs": 1000}}
    if method == "listResources": return {"resources": [told for told, _ in webs.values()]}
    if method == "getResource": return {"resource": webs[ref["name"]][0] if ref["name"] in webs else None}
    if method not in ("setScale", "resolveTargets"): raise LookupError("SCALER_UNSUPPORTED", "there is no such call")
    if ref["name"] not in webs: raise LookupError("SCALER_NOT_FOUND", f"there is no {ref['name']}")
    told, servers = webs[ref["name"]]
    if method == "resolveTargets":
        return {"targets": [{"id": id, "host": "127.0.0.1", "port": each.server_port} for id, each in servers.items()]}
    if ifVersion not in (None, told["version"]): raise LookupError("SCALER_CONFLICT", f"the version is {told['version']} now")
    while len(servers) < replicas:
        server = servers[f"{unique}.{len(servers)}"] = ThreadingHTTPServer(("127.0.0.1", 0), Hello)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    while len(servers) > replicas: threading.Thread(target=stop, args=servers.popitem()).start()
    told.update(scaled(replicas, unique, now), wakeReplicas=replicas or told["wakeReplicas"])
    return {"version": unique}

def scaled(replicas, version, now): return {"desired": replicas, "ready": replicas, "version": version, "updatedAt": now}
def stop(_, server): server.shutdown(), server.server_close()

if __name__ == "__main__":
    for request in map(json.loads, sys.stdin):
        try: reply = {"result": call(request["method"], **request["params"])}
        except LookupError as e: reply = {"error": {"code": -32000, "message": e.args[1], "data": {"code": e.args[0]}}}
        if "id" in request: print(json.dumps({"jsonrpc": "2.0", "id": request["id"], **reply}), flush=True)
