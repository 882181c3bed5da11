#include "config.h"

namespace issuer::vault {

const char configSchema[] = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Vault issuer",
  "description": "One token of HashiCorp Vault or OpenBao, to be kept alive. Durations are a number of seconds, or a text such as \"90s\", \"1h30m\" or \"500ms\" with the units d, h, m, s, ms and us.",
  "type": "object",
  "required": ["address", "token"],
  "additionalProperties": false,
  "properties": {
    "address": {
      "title": "Address",
      "description": "Where the server is: https://host:port, http://host:port or unix:///path, perhaps with a path prefix. Of several, the last good one is asked first.",
      "examples": ["https://vault.example:8200", ["https://vault-1.example:8200", "https://vault-2.example:8200"]],
      "oneOf": [
        { "$ref": "#/$defs/address" },
        { "type": "array", "items": { "$ref": "#/$defs/address" }, "minItems": 1, "maxItems": 8 }
      ]
    },
    "namespace": {
      "title": "Namespace",
      "description": "Path of the namespace that the token belongs to, sent as X-Vault-Namespace. Default: empty, the root namespace.",
      "type": "string",
      "pattern": "^[!-~]*$",
      "default": "",
      "examples": ["team-a"]
    },
    "token": {
      "title": "Token",
      "description": "Where the token is found. Exactly one of the three.",
      "type": "object",
      "minProperties": 1,
      "maxProperties": 1,
      "additionalProperties": false,
      "properties": {
        "file": {
          "title": "Token file",
          "description": "Absolute path of a file that holds the token. It is read again whenever it changes.",
          "$ref": "#/$defs/absolutePath",
          "examples": ["/run/credentials/vault-token"]
        },
        "env": {
          "title": "Token variable",
          "description": "Name of an environment variable of the host that holds the token.",
          "type": "string",
          "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
          "examples": ["VAULT_TOKEN"]
        },
        "value": {
          "title": "The token itself",
          "description": "The token. Better kept in a file: a configuration is copied, shown and logged by many.",
          "type": "string",
          "$comment": "Quotes, JSON, assignments and words for nothing are visibly no token.",
          "pattern": "^[ \\t\\r\\n]*(?![\"'`{\\[]|(?:null|undefined|<nil>)[ \\t\\r\\n]*$|[A-Za-z0-9_]+=+[^= \\t\\r\\n])[!-~]+[ \\t\\r\\n]*$",
          "writeOnly": true
        }
      }
    },
    "tls": {
      "title": "TLS",
      "description": "Trusted authorities and our own certificate, for https addresses. Files are read again when they change. Default: the system's roots, no client certificate.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "ca_file": {
          "title": "CA file",
          "description": "Absolute path of a PEM file with the certificates to be trusted instead of the system's: roots, intermediates or a server's own. CRLs in it are used.",
          "$ref": "#/$defs/absolutePath"
        },
        "ca_dir": {
          "title": "CA directory",
          "description": "Absolute path of a directory of such PEM files, to be trusted instead of the system's: *.pem, *.crt, *.cer, or the names that openssl rehash gives.",
          "$ref": "#/$defs/absolutePath"
        },
        "client_cert": {
          "title": "Client certificate",
          "description": "Absolute path of a PEM file with our certificate and its chain. A token of the cert auth method is renewed only over a connection with its certificate. Needs client_key.",
          "$ref": "#/$defs/absolutePath"
        },
        "client_key": {
          "title": "Client key",
          "description": "Absolute path of a PEM file with the private key of client_cert; it may be the same file.",
          "$ref": "#/$defs/absolutePath"
        },
        "server_name": {
          "title": "Server name",
          "description": "Name or numeric address that the server's certificate must be for, also sent as SNI. Default: the host of the address.",
          "type": "string",
          "maxLength": 253,
          "pattern": "^[A-Za-z0-9._:-]+$"
        },
        "insecure_skip_verify": {
          "title": "Skip verification (insecure)",
          "description": "true: accept any certificate, so that anyone between here and the server can take the token. Warned of at every start.",
          "type": "boolean",
          "default": false
        }
      },
      "dependentRequired": { "client_cert": ["client_key"], "client_key": ["client_cert"] }
    },
    "renewal": {
      "title": "Renewal",
      "description": "When to renew. The defaults suit all but special cases.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "fraction": {
          "title": "Fraction",
          "description": "Share of a lease that is spent before the token is renewed, 0.1 to 0.9. More than 2/3 counts as 2/3, which leaves time for attempts that fail.",
          "type": "number",
          "minimum": 0.1,
          "maximum": 0.9,
          "default": 0.5
        },
        "jitter": {
          "title": "Jitter",
          "description": "Renewals come early, never late, by a random share of the interval of up to this, 0 to 0.5, so that a fleet spreads.",
          "type": "number",
          "minimum": 0,
          "maximum": 0.5,
          "default": 0.1
        },
        "min_interval": {
          "title": "Shortest interval",
          "description": "Duration, 100ms to 1d: time between two renewals that succeed, however short the lease (but never more than 2/3 of it).",
          "$ref": "#/$defs/duration",
          "minimum": 0.1,
          "maximum": 86400,
          "default": "1s"
        },
        "request_timeout": {
          "title": "Request timeout",
          "description": "Duration, 100ms to 5m: longest life of one attempt, name resolution and TLS included. Near the end of a lease it is less.",
          "$ref": "#/$defs/duration",
          "minimum": 0.1,
          "maximum": 300,
          "default": "30s"
        },
        "increment": {
          "title": "Increment",
          "description": "Duration in whole seconds, up to ten years: the lease to ask for at each renewal; the server may grant less. 0: the one that the server has set for the token.",
          "$ref": "#/$defs/duration",
          "multipleOf": 1,
          "maximum": 315569520,
          "default": "0s"
        }
      }
    },
    "startup": {
      "title": "Start",
      "description": "fail_fast: starting waits for the first look-up of the token and fails without one. background: starting returns at once and goes on trying.",
      "type": "string",
      "enum": ["fail_fast", "background"],
      "default": "fail_fast"
    },
    "startup_timeout": {
      "title": "Start timeout",
      "description": "Duration, 100ms to 1h: how long starting waits for the first look-up when startup is fail_fast.",
      "$ref": "#/$defs/duration",
      "minimum": 0.1,
      "maximum": 3600,
      "default": "30s"
    },
    "proxy": {
      "title": "Proxy",
      "description": "none; environment: as BAO_PROXY_ADDR or VAULT_PROXY_ADDR, or else HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the host say, read when the first issuer starts; or the proxy's address, http://host:port or http://user:password@host:port, in which a name or password is written as in a URL.",
      "type": "string",
      "pattern": "^(none|environment|[Hh][Tt][Tt][Pp]://(([!-\"$&-.0->@-~]|%[0-9A-Fa-f]{2})*@)?(?!\\.([:/]|$))([A-Za-z0-9._-]+|\\[[A-Za-z0-9._%-]*:[A-Za-z0-9._:%-]*\\])(:0*[1-9][0-9]{0,4})?/*)$",
      "default": "none"
    },
    "follow_redirects": {
      "title": "Redirects",
      "description": "Where a redirecting server may send us, and the token: a 307 or 308 to the same path; others are never followed. verified: to https servers that our TLS settings vouch for, when the one that redirects was vouched for itself, and to configured addresses. any: anywhere, but never from https to http. none: nowhere.",
      "type": "string",
      "enum": ["none", "verified", "any"],
      "default": "verified"
    }
  },
  "$defs": {
    "address": {
      "type": "string",
      "pattern": "^([Hh][Tt][Tt][Pp][Ss]?://(?!\\.([:/]|$))([A-Za-z0-9._-]+|\\[[A-Za-z0-9._%-]*:[A-Za-z0-9._:%-]*\\])(:0*[1-9][0-9]{0,4})?(/[!-\"$->A-~]*)?|unix:///[!-~]{1,106})$"
    },
    "absolutePath": {
      "type": "string",
      "pattern": "^/[^\\u0000-\\u001f\\u007f]*$",
      "maxLength": 4095
    },
    "duration": {
      "type": ["number", "string"],
      "minimum": 0,
      "maximum": 3155695200,
      "pattern": "^(([0-9]+\\.?[0-9]*|\\.[0-9]+)(d|h|m|s|ms|us|µs))+$|^([0-9]+\\.?[0-9]*|\\.[0-9]+)$"
    }
  }
})json";

} // namespace issuer::vault
