#!/usr/bin/env python3
"""Decides the vectors of fixtures/lease by a second implementation, written from docs/lease.md.

Needs Python 3.9 and `cryptography`. Knows neither second signatures (ML-DSA-44) nor the folding of deny rules. Prints what is not
as the vectors say, and exits with 1 where there is any.
"""

import base64
import binascii
import hashlib
import ipaddress
import json
import pathlib
import re
import sys
from datetime import datetime, timedelta, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX = 2**53 - 1
LEASE, PRESENTATION, REVOCATIONS = (f"application/vnd.leasehold.{name}.v1+json" for name in ("lease", "presentation", "revocations"))
INTEGRITY = set("LEASE-FORMAT LEASE-ISSUER LEASE-CHAIN PRESENTATION-FORMAT REVOCATION-FORMAT REVOCATION-FORK PAYLOAD-TYPE "
                "ENVELOPE-FORMAT SIGNATURE-INVALID KEY-FORMAT TRUST-FORMAT JSON-SYNTAX JSON-DUPLICATE-KEY JSON-NUMBER JSON-DEPTH "
                "JSON-TOO-LARGE JSON-NOT-CANONICAL JSON-FIELD".split())
SPKI = bytes.fromhex("302a300506032b6570032100")
P = 2**255 - 19


class Refused(Exception):
    pass


def need(condition, code="LEASE-FORMAT"):
    if not condition:
        raise Refused(code)


# JSON -------------------------------------------------------------------------------------------------------------------------

def parse_json(data, integers=True, limit=1 << 20):
    need(len(data) <= limit, "JSON-TOO-LARGE")

    def number(text):
        value = int(text) if re.fullmatch(r"-?[0-9]+", text) else None
        if integers:
            need(value is not None and text != "-0" and abs(value) <= MAX, "JSON-NUMBER")
        return float(text) if value is None else value

    def pairs(items):
        need(len(dict(items)) == len(items), "JSON-DUPLICATE-KEY")
        return dict(items)

    def constant(_):
        raise Refused("JSON-SYNTAX")

    try:
        text = data.decode("utf-8")
        depth = most = 0
        for sign in re.sub(r'"(\\.|[^"\\])*"', '""', text):
            depth += (sign in "[{") - (sign in "]}")
            most = max(most, depth)
        need(most <= 64, "JSON-DEPTH")
        value = json.loads(text, object_pairs_hook=pairs, parse_int=number, parse_float=number, parse_constant=constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value
    except (ValueError, RecursionError):
        raise Refused("JSON-SYNTAX") from None


def canonical(value):
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return b"{" + b",".join(canonical(key) + b":" + canonical(value[key]) for key in keys) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(canonical, value)) + b"]"
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def parse_canonical(data):
    value = parse_json(data)
    need(canonical(value) == data, "JSON-NOT-CANONICAL")
    return value


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


# Keys and envelopes -----------------------------------------------------------------------------------------------------------

class Key:
    def __init__(self, der):
        need(len(der) == 44 and der[:12] == SPKI, "KEY-FORMAT")
        y = int.from_bytes(der[12:], "little") & (2**255 - 1)
        need(y % P not in SMALL_Y, "KEY-WEAK")
        need(y < P, "KEY-FORMAT")
        self.id, self.key = sha(der), Ed25519PublicKey.from_public_bytes(der[12:])

    def verifies(self, message, signature):
        try:
            self.key.verify(signature, message)
            return True
        except InvalidSignature:
            return False


def small_y():
    """The y of the points of small order on the curve -x^2 + y^2 = 1 + d x^2 y^2: 1 and -1 for the orders 1 and 2, 0 for 4."""
    d = -121665 * pow(121666, -1, P) % P
    found = {0, 1, P - 1}
    # Twice a point of order 8 has y = 0, which means x^2 = -y^2; with the curve: d y^4 + 2 y^2 - 1 = 0.
    root = square_root((1 + d) % P)
    for sign in (root, P - root):
        y = square_root((sign - 1) * pow(d, -1, P) % P)
        if y is not None:
            found |= {y, P - y}
    return found


def square_root(value):
    root = pow(value, (P + 3) // 8, P)
    if root * root % P != value:
        root = root * pow(2, (P - 1) // 4, P) % P
    return root if root * root % P == value else None


SMALL_Y = small_y()


def b64(text, code, url=False):
    try:
        if url and re.search("[-_]", text):
            need(not re.search("[+/]", text), code)
            text = text.replace("-", "+").replace("_", "/")
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(code) from None
    need(base64.b64encode(data).decode() == text, code)
    return data


class Envelope:
    def __init__(self, data):
        wire = parse_json(data, integers=False)
        fits = isinstance(wire, dict) and all(isinstance(wire.get(name), str) for name in ("payload", "payloadType"))
        need(fits and isinstance(wire.get("signatures"), list), "JSON-FIELD")
        for each in wire["signatures"]:
            fits = isinstance(each, dict) and isinstance(each.get("sig"), str) and isinstance(each.get("keyid", ""), (str, type(None)))
            need(fits, "JSON-FIELD")
        need(len(wire["signatures"]) <= 16, "ENVELOPE-FORMAT")
        need(wire["signatures"], "SIGNATURE-MISSING")
        self.signatures = [(each.get("keyid") or None, b64(each["sig"], "ENVELOPE-FORMAT", True)) for each in wire["signatures"]]
        self.payload, self.type = b64(wire["payload"], "ENVELOPE-FORMAT", True), wire["payloadType"]
        kind = self.type.encode()
        self.pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(self.payload), self.payload)
        self.id = sha(self.pae)

    def expect(self, kind):
        need(self.type == kind, "PAYLOAD-TYPE")

    def signers(self, trust, role, at, without=()):
        found = []
        for _, signature in self.signatures:
            for key in trust.valid(role, at):
                if key.id not in found and key.id not in without and key.verifies(self.pae, signature):
                    found.append(key.id)
                    break
        return found

    def open(self, kind, role, trust, at):
        self.expect(kind)
        found = self.signers(trust, role, at)
        if len(found) >= trust.thresholds[role]:
            return found
        need(not found, "SIGNATURE-MISSING")
        valid = [key.id for key in trust.valid(role, at)]
        need(all(claim and claim not in valid for claim, _ in self.signatures), "SIGNATURE-INVALID")
        raise Refused("KEY-UNTRUSTED")

    def open_as(self, key):
        if any(key.verifies(self.pae, signature) for _, signature in self.signatures):
            return
        need(all(claim and claim != key.id for claim, _ in self.signatures), "SIGNATURE-INVALID")
        raise Refused("KEY-UNTRUSTED")


def chain_of(data):
    if not data.lstrip(b" \t\r\n").startswith(b"["):
        return [Envelope(data)]
    values = parse_json(data, limit=16 << 20)
    need(1 <= len(values) <= 16, "LEASE-CHAIN")
    return [Envelope(canonical(value)) for value in values]


# Trust file -------------------------------------------------------------------------------------------------------------------

class Trust:
    def __init__(self, data):
        value = parse_json(data)
        need("witnesses" not in value and value["version"] == 1, "TRUST-UNSUPPORTED")
        self.thresholds = {"issuer": 1, "revoker": 1, **value.get("thresholds", {})}
        need(set(self.thresholds) == {"issuer", "revoker"}, "TRUST-UNSUPPORTED")
        self.keys = []
        for entry in value["keys"]:
            need(not set(entry) - {"name", "key", "roles", "not_before", "not_after", "ends"}, "TRUST-UNSUPPORTED")
            text = "".join(re.sub("-----[A-Z ]+-----", "", entry["key"]).split())
            key = Key(b64(text, "KEY-FORMAT"))
            key.name, key.roles, key.entry = entry["name"], entry["roles"], entry
            self.keys.append(key)
        for unique in ([key.id for key in self.keys], [key.name for key in self.keys]):
            need(len(set(unique)) == len(unique), "TRUST-FORMAT")
        for role, needed in self.thresholds.items():
            holders = sum(role in key.roles for key in self.keys)
            need(1 <= needed <= max(holders, 1), "TRUST-FORMAT")
        self.approvals = value.get("approvals", [])
        for rule in self.approvals:
            self.check_rule(rule)
        self.required = value.get("revocation", {}).get("required", False)
        self.least = value.get("revocation", {}).get("least", 0)

    def counts(self, rule, key):
        return "approver" in key.roles and ("by" not in rule or key.name in rule["by"])

    def check_rule(self, rule):
        need(rule["for"] and rule["needed"] >= 1, "TRUST-FORMAT")
        named = [key.name for key in self.keys if "approver" in key.roles]
        need(all(name in named for name in rule.get("by", [])), "TRUST-FORMAT")
        issuers = [self.counts(rule, key) for key in self.keys if "issuer" in key.roles]
        lost = min(max(self.thresholds["issuer"] - issuers.count(False), 0), issuers.count(True))
        need(rule["needed"] <= sum(self.counts(rule, key) for key in self.keys) - lost, "TRUST-FORMAT")

    def valid(self, role, at):
        for key in self.keys:
            entry = key.entry
            begins = moment(entry.get("not_before", "1970-01-01T00:00:00Z"), "JSON-FIELD")
            ends = [entry.get("not_after"), entry.get("ends", {}).get(role)]
            if role in key.roles and begins <= at and all(at < moment(end, "JSON-FIELD") for end in ends if end):
                yield key


# Form of documents ------------------------------------------------------------------------------------------------------------

def moment(text, code="LEASE-FORMAT", whole=False):
    need(isinstance(text, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", text, re.ASCII), code)
    need(not text.endswith(".000Z") and not (whole and "." in text), code)
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ" if "." in text else "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise Refused(code) from None


def digest(text, code="LEASE-FORMAT"):
    need(isinstance(text, str) and re.fullmatch("sha256:[0-9a-f]{64}", text), code)


def fields(value, required, optional="", code="LEASE-FORMAT"):
    required, optional = set(required.split()), set(optional.split())
    need(isinstance(value, dict) and required <= set(value) <= required | optional, code)


def listed(value, most, unique=False, least=0, each=str):
    need(isinstance(value, list) and least <= len(value) <= most and all(isinstance(one, each) for one in value))
    need(not unique or all(one not in value[:place] for place, one in enumerate(value)))
    return value


def integer(value, least, most, code="LEASE-FORMAT"):
    need(type(value) is int, "LEASE-FORMAT")
    need(least <= value <= most, code)


def matches(form, text):
    need(isinstance(text, str) and re.fullmatch(form, text, re.ASCII))


LIMITS = {"fuel": (1, MAX), "memory_bytes": (65536, 4 << 30), "wall_ms": (1, 86_400_000), "output_bytes": (0, MAX),
          "write_bytes": (0, MAX), "open_files": (0, 4096)}
LISTS = ("list", "read", "write", "deny")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
NONCE, NAME = "[A-Za-z0-9_-]{16,64}", "[a-z0-9-]{1,64}"
OWN_FIELDS = ("connection content-encoding content-length expect host http2-settings keep-alive proxy-authenticate proxy-authorization "
              "proxy-connection te trailer transfer-encoding upgrade").split()


def before_types(doc, is_root):
    version = doc.get("version") if isinstance(doc, dict) else None
    need(type(version) is not int or version == 1, "LEASE-UNSUPPORTED")
    grants = doc.get("grants") if isinstance(doc, dict) else None
    for grant in grants if isinstance(grants, list) else []:
        grant = grant if isinstance(grant, dict) else {}
        need("limits" in grant or not is_root, "LEASE-LIMIT")
        limits = grant.get("limits")
        for name in LIMITS if isinstance(limits, dict) else []:
            need(limits.get(name) is not None or not is_root, "LEASE-LIMIT")
            need(type(limits.get(name)) is not int or limits[name] >= 0, "LEASE-LIMIT")
        for field, known in (("clock", "virtual"), ("random", "seeded")):
            need(not isinstance(grant.get(field), str) or grant[field] == known, "LEASE-UNSUPPORTED")
        files = grant.get("files")
        for name in LISTS if isinstance(files, dict) else []:
            for text in files.get(name) if isinstance(files.get(name), list) else []:
                need(not isinstance(text, str) or is_pattern(text), "PATTERN-FORMAT")


def read_document(payload):
    """The document, with `child` for what kind it is."""
    doc = parse_canonical(payload)
    is_root = not isinstance(doc, dict) or doc.get("parent") is None
    before_types(doc, is_root)
    common = "version issuer holder audience nonce not_before expires grants"
    fields(doc, common if is_root else common + " key parent", "parent intent depth budget")
    for grant in listed(doc["grants"], MAX, each=dict):
        fields(grant, "id plugin kind" + " limits" * is_root, "config args files env http secrets clock random" + " of limits" * (not is_root))
    need(doc["version"] == 1 and type(doc["version"]) is int)
    digest(doc["issuer"])
    if not is_root:
        digest(doc["parent"])
        need(isinstance(doc["key"], str))
    if doc["holder"] != "none":
        digest(doc["holder"])
    check_audience(doc["audience"])
    matches(NONCE, doc["nonce"])
    if doc.get("intent") is not None:
        fields(doc["intent"], "id summary")
        for name, least, most in (("id", 1, 128), ("summary", 0, 1000)):
            text = doc["intent"][name]
            need(isinstance(text, str) and least <= len(text) <= most and not CONTROL.search(text))
    begins, ends = (moment(doc[name], whole=True) for name in ("not_before", "expires"))
    need(begins < ends, "LEASE-WINDOW")
    integer(doc.get("depth", 0), 0, 15)
    check_budget(doc, is_root)
    listed(doc["grants"], 256, each=dict)
    ids = [grant["id"] for grant in doc["grants"]]
    need(all(identity not in ids[:place] for place, identity in enumerate(ids)))
    for grant in doc["grants"]:
        check_grant(grant)
    doc["child"] = not is_root
    return doc


def check_audience(audience):
    if audience == "any":
        return
    for entry in listed(audience, 1024, each=dict):
        fields(entry, "host", "tape")
        digest(entry["host"])
        if entry.get("tape") is not None:
            digest(entry["tape"])


def check_budget(doc, is_root):
    budget = doc.get("budget")
    if budget is None:
        return
    fields(budget, "", "uses fuel")
    stated = [value for value in budget.values() if value is not None]
    need(len(stated) == 2 if is_root else stated)
    for value in stated:
        integer(value, 1, MAX)
    entries = doc["audience"]
    need(entries != "any" and len(entries) == 1 and entries[0].get("tape"))


def check_grant(grant):
    matches(NAME, grant["id"])
    if grant.get("of") is not None:
        matches(NAME, grant["of"])
    digest(grant["plugin"])
    need(grant["kind"] in ("gate", "adapter", "command"))
    if grant.get("config") is not None:
        digest(grant["config"])
    for vector in listed(grant.get("args", []), 256, each=list):
        need(all("\0" not in text for text in listed(vector, 1024)))
    files = grant.get("files", {})
    fields(files, "", "list read write deny")
    for name in LISTS:
        listed(files.get(name, []), 1024)
    env = grant.get("env", {})
    fields(env, "", "pass set")
    passed, fixed = listed(env.get("pass", []), 256, unique=True), env.get("set", {})
    need(isinstance(fixed, dict) and len(passed) + len(fixed) <= 256 and not set(passed) & set(fixed))
    for name in [*passed, *fixed]:
        matches("[A-Za-z_][A-Za-z0-9_]{0,127}", name)
    need(all(isinstance(text, str) and "\0" not in text for text in fixed.values()))
    need(grant.get("clock", "virtual") == "virtual" and grant.get("random", "seeded") == "seeded")
    for entry in listed(grant.get("http", []), 256, each=dict):
        check_http(entry)
    check_secrets(listed(grant.get("secrets", []), 64, each=dict), grant.get("http", []))
    limits = grant.get("limits", {})
    fields(limits, "", " ".join(LIMITS))
    for name, value in limits.items():
        if value is not None:
            integer(value, *LIMITS[name], "LEASE-LIMIT")


def check_http(entry):
    fields(entry, "methods host port path", "scheme addresses")
    for method in listed(entry["methods"], 16, unique=True, least=1):
        need(is_method(method))
    need(entry.get("scheme", "https") in ("https", "http"))
    need(is_host_pattern(entry["host"]) and is_url_pattern(entry["path"]))
    integer(entry["port"], 1, 65535)
    blocks = listed(entry.get("addresses", []), 64, unique=True)
    need(all(block_of(block) for block in blocks))
    need(not blocks or not address_of(entry["host"]))


def check_secrets(secrets, http):
    places = []
    for secret in secrets:
        fields(secret, "name", "inject expose")
        matches(NAME, secret["name"])
        need(isinstance(secret.get("expose", False), bool))
        inject = secret.get("inject")
        need((inject is not None) != secret.get("expose", False))
        if inject is None:
            continue
        fields(inject, "host port header", "prefix")
        need(is_host(inject["host"]))
        integer(inject["port"], 1, 65535)
        matches("[a-z0-9_-]{1,64}", inject["header"])
        need(inject["header"] not in OWN_FIELDS)
        matches("([!-~][ -~]{0,63})?", inject.get("prefix", ""))
        ways = [entry for entry in http if entry["port"] == inject["port"] and host_matches(entry["host"], inject["host"])]
        need(ways)
        address = address_of(inject["host"])
        need(address and address.is_loopback or all(entry.get("scheme", "https") == "https" for entry in ways))
        places.append((inject["host"], inject["port"], inject["header"]))
    need(len(set(places)) == len(places) and len({secret["name"] for secret in secrets}) == len(secrets))


# Patterns ---------------------------------------------------------------------------------------------------------------------

def is_pattern(text):
    parts = text.split("/")
    return (0 < len(text.encode()) <= 4096 and len(parts) <= 64 and "\\" not in text and not CONTROL.search(text)
            and all(part not in ("", ".", "..") and ("**" not in part or part == "**") for part in parts))


def component_matches(part, name):
    form = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in part)
    return bool(re.fullmatch(form, name, re.DOTALL))


def parts_match(parts, names):
    if not parts:
        return not names
    if parts[0] == "**":
        return parts_match(parts[1:], names) or bool(names) and parts_match(parts, names[1:])
    return bool(names) and component_matches(parts[0], names[0]) and parts_match(parts[1:], names[1:])


def ordered(signs, first, many):
    """Puts the `first` of each run of both in front, and one `many` after them."""
    done, pending = [], False
    for sign in signs:
        if sign == many:
            pending = True
        elif sign == first:
            done.append(sign)
        else:
            done += [many] * pending + [sign]
            pending = False
    return done + [many] * pending


def sequence_covers(wide, narrow, many, one):
    """Whether a sequence with `many`, which covers anything, covers another; `one` compares two elements."""
    below = [False] * len(narrow) + [True]
    for ours in reversed(wide):
        row = [False] * len(narrow) + [ours == many and below[-1]]
        for at in range(len(narrow) - 1, -1, -1):
            if ours == many:
                row[at] = below[at] or row[at + 1]
            else:
                row[at] = narrow[at] != many and below[at + 1] and one(ours, narrow[at])
        below = row
    return below[0]


def component_covers(wide, narrow):
    if wide == "*":
        return True
    if not re.search("[*?]", wide):
        return wide == narrow
    if not re.search("[*?]", narrow):
        return component_matches(wide, narrow)
    return sequence_covers(ordered(wide, "?", "*"), ordered(narrow, "?", "*"), "*", lambda ours, theirs: ours == "?" or ours == theirs)


def covers(wide, narrow):
    wide, narrow = (ordered(text.split("/"), "*", "**") for text in (wide, narrow))
    return sequence_covers(wide, narrow, "**", component_covers)


def url_covers(wide, narrow):
    return sequence_covers(wide[1:].split("/"), narrow[1:].split("/"), "**", component_covers)


# HTTP -------------------------------------------------------------------------------------------------------------------------

def is_method(text):
    return bool(re.fullmatch("[A-Z][A-Z0-9_-]{0,31}", text)) and text not in ("CONNECT", "TRACE")


def address_of(text):
    try:
        if text.startswith("["):
            return ipaddress.IPv6Address(text[1:-1]) if text.endswith("]") and "%" not in text else None
        return ipaddress.IPv4Address(text)
    except ValueError:
        return None


def shown(address):
    if address.version == 6 and address.ipv4_mapped:
        return f"::ffff:{address.ipv4_mapped}"
    return str(address)


def is_name(text):
    labels = text.split(".")
    return (len(text) <= 253 and all(re.fullmatch("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label) for label in labels)
            and not re.fullmatch("[0-9]+|0x[0-9a-f]*", labels[-1]))


def is_host(text):
    if not isinstance(text, str):
        return False
    address = address_of(text)
    if address:
        return text in (shown(address), f"[{shown(address)}]")
    return not text.startswith("[") and is_name(text)


def is_host_pattern(text):
    if isinstance(text, str) and text.startswith("*."):
        return is_name(text[2:]) and len(text) <= 253 and "." in text[2:]
    return is_host(text)


def host_matches(pattern, host):
    if pattern.startswith("*."):
        return not address_of(host) and host.partition(".")[2] == pattern[2:]
    return pattern == host


def block_of(text):
    try:
        address, prefix = text.split("/")
        block = ipaddress.ip_network(text)
        return block if re.fullmatch("[0-9]+", prefix) and text == f"{shown(block.network_address)}/{block.prefixlen}" else None
    except ValueError:
        return None


def is_url_pattern(text):
    if not isinstance(text, str) or len(text.encode()) > 4096 or not text.startswith("/"):
        return False
    parts = text[1:].split("/")
    return len(parts) <= 64 and all("**" not in part or part == "**" for part in parts) and is_path(re.sub("[*?]", "x", text))


HIDDEN = [*b"/\\.", *range(0x20), 0x7F]


def is_path(path):
    if not re.fullmatch(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*", path):
        return False
    components = path[1:].split("/")
    return all((part or place == len(components) - 1) and is_path_component(part.encode()) for place, part in enumerate(components))


def is_path_component(text):
    if text.split(b";")[0] in (b".", b"..") or re.search(b"%(?![0-9A-Fa-f]{2})", text):
        return False
    for _ in range(9):
        codes = re.findall(b"%([0-9A-Fa-f]{2})", text)
        if any(int(code, 16) in HIDDEN for code in codes):
            return False
        if not codes:
            return True
        text = re.sub(b"%([0-9A-Fa-f]{2})", lambda code: bytes([int(code[1], 16)]), text)
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            return False
        if text.split(b";")[0] in (b".", b".."):
            return False
    return False


def target_of(request):
    need(is_method(request["method"]), "HTTP-METHOD")
    scheme = request["scheme"].lower()
    need(scheme in ("https", "http"), "HTTP-SCHEME")
    found = re.fullmatch(r"(\[[^\]@]*\]|[^\[\]:@]*)(?::([1-9][0-9]{0,4}))?", request["authority"].lower())
    need(found and (not found[2] or int(found[2]) <= 65535), "HTTP-AUTHORITY")
    host, port = found[1], int(found[2] or (443 if scheme == "https" else 80))
    address = address_of(host)
    if address and address.version == 6:
        host = f"[{shown(address)}]"
    need(is_host(host), "HTTP-AUTHORITY")
    text = request["path"] or "/"
    path, _, query = text.partition("?")
    need(len(text.encode()) <= 8192 and is_path(path) and re.fullmatch(r"[!-~]*", query) and not re.search('["#<>]', query), "HTTP-PATH")
    return request["method"], scheme, host, port, path


def permit(rights, request):
    method, scheme, host, port, path = target_of(request)
    names = path[1:].split("/")
    need(any(method in entry["methods"] and scheme == entry.get("scheme", "https") and host_matches(entry["host"], host)
             and port == entry["port"] and parts_match(entry["path"][1:].split("/"), names) for entry in rights.get("http", [])), "HTTP-DENIED")


# Chains -----------------------------------------------------------------------------------------------------------------------

def http_within(wide, narrow):
    host = wide["host"] == narrow["host"] or not narrow["host"].startswith("*.") and host_matches(wide["host"], narrow["host"])
    blocks = [block_of(block) for block in wide.get("addresses", [])]
    return (set(narrow["methods"]) <= set(wide["methods"]) and wide.get("scheme", "https") == narrow.get("scheme", "https") and host
            and wide["port"] == narrow["port"] and url_covers(wide["path"], narrow["path"])
            and all(any(ours.version == block_of(theirs).version and block_of(theirs).subnet_of(ours) for ours in blocks)
                    for theirs in narrow.get("addresses", [])))


def plain(secret):
    """A secret with nothing left out."""
    inject = secret.get("inject")
    return secret["name"], secret.get("expose", False), inject and {"prefix": "", **inject}


def grant_within(wide, narrow):
    for field, default in (("plugin", None), ("kind", None), ("config", None), ("clock", "virtual"), ("random", "seeded")):
        need(wide.get(field, default) == narrow.get(field, default), "LEASE-WIDER")
    have, wanted = (grant.get("args") or [[]] for grant in (wide, narrow))
    need(all(vector in have for vector in wanted), "LEASE-WIDER")
    have, wanted = wide.get("files", {}), narrow.get("files", {})
    for name in LISTS[:3]:
        need(all(any(covers(ours, theirs) for ours in have.get(name, [])) for theirs in wanted.get(name, [])), "LEASE-WIDER")
    need(set(have.get("deny", [])) <= set(wanted.get("deny", [])), "LEASE-WIDER")
    have, wanted = wide.get("env", {}), narrow.get("env", {})
    need(set(wanted.get("pass", [])) <= set(have.get("pass", [])), "LEASE-WIDER")
    need(wanted.get("set", {}).items() <= have.get("set", {}).items(), "LEASE-WIDER")
    need(all(any(http_within(ours, theirs) for ours in wide.get("http", [])) for theirs in narrow.get("http", [])), "LEASE-WIDER")
    have = [plain(secret) for secret in wide.get("secrets", [])]
    need(all(plain(secret) in have for secret in narrow.get("secrets", [])), "LEASE-WIDER")
    for name, value in narrow.get("limits", {}).items():
        need(value is None or value <= wide["limits"][name], "LEASE-WIDER")


def filled(parent, child):
    """The child within its parent, with nothing left out; refused where it is wider."""
    need(moment(child["not_before"]) >= moment(parent["not_before"]), "LEASE-WIDER")
    need(moment(child["expires"]) <= moment(parent["expires"]), "LEASE-WIDER")
    if parent["audience"] != "any":
        need(child["audience"] != "any", "LEASE-WIDER")
        for entry in child["audience"]:
            need(any(wide["host"] == entry["host"] and wide.get("tape") in (None, entry.get("tape")) for wide in parent["audience"]),
                 "LEASE-WIDER")
    most = dict(parent["most"])
    for name, value in (child.get("budget") or {}).items():
        if value is not None:
            need(value <= most.get(name, MAX), "LEASE-WIDER")
            most[name] = value
    grants = []
    for grant in child["grants"]:
        wide = next((wide for wide in parent["grants"] if wide["id"] == (grant.get("of") or grant["id"])), None)
        need(wide, "LEASE-WIDER")
        grant_within(wide, grant)
        stated = {name: value for name, value in grant.get("limits", {}).items() if value is not None}
        grants.append({**grant, "limits": {**wide["limits"], **stated}})
    return {**child, "grants": grants, "most": most}


def open_root(envelope, trust, now):
    envelope.expect(LEASE)
    try:
        signers = envelope.open(LEASE, "issuer", trust, now)
    except Refused as refused:
        try:
            child = read_document(envelope.payload)["child"]
        except Refused:
            child = False
        need(not child, "LEASE-CHAIN")
        raise refused
    root = read_document(envelope.payload)
    need(not root["child"], "LEASE-CHAIN")
    need(root["issuer"] in signers, "LEASE-ISSUER")
    return {**root, "most": root.get("budget") or {}}, signers


def open_child(envelope, holder):
    envelope.expect(LEASE)
    need(len(envelope.signatures) == 1, "LEASE-CHAIN")
    child = read_document(envelope.payload)
    need(child["child"], "LEASE-CHAIN")
    key = Key(b64(child["key"], "LEASE-FORMAT"))
    need(key.id == child["issuer"], "LEASE-ISSUER")
    need(child["issuer"] == holder, "LEASE-CHAIN")
    envelope.open_as(key)
    return child


def has(grant, kind):
    env = grant.get("env", {})
    return {"write": grant.get("files", {}).get("write"), "env": env.get("pass") or env.get("set"), "http": grant.get("http"),
            "secrets": grant.get("secrets"), "expose": any(secret.get("expose") for secret in grant.get("secrets", []))}[kind]


def check_approvals(envelope, root, issuers, trust, now):
    approvers = envelope.signers(trust, "approver", now, without=issuers)
    for rule in trust.approvals:
        falls = "any" in rule["for"] or any(has(grant, kind) for grant in root["grants"] for kind in rule["for"])
        counting = [key for key in trust.keys if key.id in approvers and trust.counts(rule, key)]
        need(not falls or len(counting) >= rule["needed"], "LEASE-APPROVAL")


def read_revocations(envelope):
    envelope.expect(REVOCATIONS)
    body = parse_canonical(envelope.payload)
    code = "REVOCATION-FORMAT"
    fields(body, "version number issued next_update ids", code=code)
    need(type(body["number"]) is int and body["version"] == 1 and 1 <= body["number"] <= MAX and isinstance(body["ids"], list), code)
    need(moment(body["issued"], code) < moment(body["next_update"], code) and len(body["ids"]) <= 10_000, code)
    for identity in body["ids"]:
        digest(identity, code)
    need(sorted(set(body["ids"])) == body["ids"], code)
    return envelope, body


def check_revocations(known, seen, trust, ids, now):
    if known is None:
        return need(not seen and not trust.required, "REVOCATION-MISSING")
    envelope, body = known
    envelope.open(REVOCATIONS, "revoker", trust, now)
    need(moment(body["issued"]) - now <= timedelta(seconds=300), "REVOCATION-EARLY")
    need(now < moment(body["next_update"]), "REVOCATION-STALE")
    need(body["number"] >= max(trust.least, seen["number"] if seen else 0), "REVOCATION-OLD")
    need(not seen or body["number"] > seen["number"] or envelope.id == seen["list"], "REVOCATION-FORK")
    need(not set(ids) & set(body["ids"]), "LEASE-REVOKED")


def check_presentation(envelope, leaf, lease, host, now):
    if leaf["holder"] == "none":
        return need(envelope is None, "PRESENTATION-KEY")
    need(envelope is not None, "HOLDER-MISSING")
    envelope.expect(PRESENTATION)
    body, code = parse_canonical(envelope.payload), "PRESENTATION-FORMAT"
    fields(body, "version lease host key nonce expires", code=code)
    digest(body["lease"], code)
    digest(body["host"], code)
    need(body["version"] == 1 and isinstance(body["key"], str) and isinstance(body["nonce"], str) and re.fullmatch(NONCE, body["nonce"]), code)
    expires = moment(body["expires"], code)
    key = Key(b64(body["key"], code))
    need(key.id == leaf["holder"], "PRESENTATION-KEY")
    envelope.open_as(key)
    need(body["lease"] == lease, "PRESENTATION-LEASE")
    need(body["host"] == host, "PRESENTATION-HOST")
    need(now < expires, "PRESENTATION-EXPIRED")
    need(expires - now <= timedelta(seconds=600), "PRESENTATION-LONG")


def verify(envelopes, trust, known, seen, presented, host, tape, now):
    """The hops, leaf first, with nothing left out."""
    ids = [envelope.id for envelope in envelopes]
    need(len(set(ids)) == len(ids), "LEASE-CHAIN")
    root, issuers = open_root(envelopes[-1], trust, now)
    children, holder = [], root["holder"]
    for envelope in reversed(envelopes[:-1]):
        children.append(open_child(envelope, holder))
        holder = children[-1]["holder"]
    hops = [root]
    for child, above in zip(children, reversed(ids)):
        parent = hops[0]
        need(child["parent"] == above and 0 < parent.get("depth", 0) > child.get("depth", 0), "LEASE-CHAIN")
        hops.insert(0, filled(parent, child))
    check_approvals(envelopes[-1], root, issuers, trust, now)
    check_revocations(known, seen, trust, ids, now)
    for hop in hops:
        need(now >= moment(hop["not_before"]), "LEASE-NOT-YET")
        need(now < moment(hop["expires"]), "LEASE-EXPIRED")
    for hop in hops:
        need(hop["audience"] == "any" or any(entry["host"] == host and entry.get("tape") in (None, tape) for entry in hop["audience"]),
             "LEASE-AUDIENCE")
    check_presentation(presented, hops[0], ids[0], host, now)
    return ids, hops


# Rights -----------------------------------------------------------------------------------------------------------------------

def rights_of(ids, hops, grant):
    leaf, files, env = hops[0], grant.get("files", {}), grant.get("env", {})
    rights = {
        "version": 1, "chain": ids, "grant": grant["id"], "plugin": grant["plugin"], "kind": grant["kind"], "config": grant.get("config"),
        "args": grant.get("args") or [[]], "files": {name: files.get(name, []) for name in LISTS},
        "env": {"pass": env.get("pass", []), "set": env.get("set", {})}, "clock": "virtual", "random": "seeded", "limits": grant["limits"],
        "not_before": max(hop["not_before"] for hop in hops), "expires": min(hop["expires"] for hop in hops),
        "audience": leaf["audience"], "holder": leaf["holder"],
    }
    if grant.get("http"):
        rights["http"] = [{name: value for name, value in entry.items() if (name, value) not in (("scheme", "https"), ("addresses", []))}
                          for entry in grant["http"]]
    if grant.get("secrets"):
        rights["secrets"] = [short_secret(secret) for secret in grant["secrets"]]
    return rights


def short_secret(secret):
    name, expose, inject = plain(secret)
    if expose:
        return {"name": name, "expose": True}
    return {"name": name, "inject": {field: value for field, value in inject.items() if (field, value) != ("prefix", "")}}


def for_plugin(grants, plugin):
    need(grants, "GRANT-MISSING")
    fitting = [grant for grant in grants if grant["plugin"] == plugin]
    need(fitting, "PLUGIN-MISMATCH")
    need(len(fitting) == 1, "GRANT-AMBIGUOUS")
    return fitting[0]


def check_budgets(ids, hops, spent, fuel):
    for identity, hop in zip(ids, hops):
        budget, so_far = hop.get("budget") or {}, spent.get(identity, {"uses": 0, "fuel": 0})
        need(budget.get("uses") is None or so_far["uses"] < budget["uses"], "BUDGET-EXHAUSTED")
        need(budget.get("fuel") is None or so_far["fuel"] + fuel <= budget["fuel"], "BUDGET-EXHAUSTED")


FIRST_PLUGIN = "sha256:5e689e2b01672bf33996e75d5e372ff60c536ce1599a1458e867cd8f4bef5160"


def decide(vector):
    trust = Trust(json.dumps(vector["trust"]).encode())
    envelopes = chain_of(vector["envelope"].encode())
    known = read_revocations(Envelope(vector["revocations"].encode())) if "revocations" in vector else None
    presented = Envelope(vector["presentation"].encode()) if "presentation" in vector else None
    now = moment(vector["now"])
    ids, hops = verify(envelopes, trust, known, vector.get("seen"), presented, vector["host"], vector["tape"], now)
    used, grants = vector["used"], hops[0]["grants"]
    if used == "nothing":
        return {"accepted": {"lease": ids[0]}}
    if "grant" in used:
        grant = next((grant for grant in grants if grant["id"] == used["grant"]["id"]), None)
        need(grant, "GRANT-MISSING")
        need(used["grant"]["args"] in (grant.get("args") or [[]]), "ARGS-DENIED")
    else:
        grant = for_plugin(grants, used.get("plugin", FIRST_PLUGIN))
    if "request" in used:
        permit(grant, used["request"])
    check_budgets(ids, hops, vector.get("spent", {}), grant["limits"]["fuel"])
    rights = canonical(rights_of(ids, hops, grant))
    return {"rights": {"lease": ids[0], "digest": sha(rights), "json": rights.decode()}}


def main():
    folder = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "lease"
    vectors, wrong = sorted(folder.glob("[0-9][0-9][0-9]-*.json")), 0
    for path in vectors:
        vector = json.loads(path.read_text("utf-8"))
        try:
            found = decide(vector)
        except Refused as refused:
            code = str(refused)
            found = {"refused": {"code": code, "class": "integrity" if code in INTEGRITY else "refused"}}
        if found != vector["expect"]:
            wrong += 1
            print(f"{path.name}: {found}\n  expected {vector['expect']}")
    patterns = json.loads((folder / "patterns.json").read_text("utf-8"))
    for case in patterns["paths"]:
        found = parts_match(case["pattern"].split("/"), case["path"].split("/") if case["path"] else [])
        if found != case["matches"]:
            wrong += 1
            print(f"{case['pattern']!r} and {case['path']!r}: {found}")
    for case in patterns["covers"]:
        if covers(case["wide"], case["narrow"]) != case["covers"]:
            wrong += 1
            print(f"{case['wide']!r} over {case['narrow']!r}: {not case['covers']}")
    for text in patterns["errors"]:
        if is_pattern(text):
            wrong += 1
            print(f"{text!r} is read as a pattern")
    print(f"{len(vectors)} vectors, {len(patterns['paths'])} paths, {len(patterns['covers'])} containments: {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
