#include "config.h"

namespace issuer::vault {

const char configSchema[] = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Vault issuer",
  "description": "One token of HashiCorp Vault or OpenBao, to be kept alive: given as token, or brought by a login as auth says. Durations are a number of seconds, or a text such as \"90s\", \"1h30m\" or \"500ms\" with the units d, h, m, s, ms and us.",
  "type": "object",
  "required": ["address"],
  "oneOf": [{ "required": ["token"] }, { "required": ["auth"] }],
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
      "description": "Where the token is found: exactly one of file, env and value.",
      "type": "object",
      "oneOf": [{ "required": ["file"] }, { "required": ["env"] }, { "required": ["value"] }],
      "additionalProperties": false,
      "if": { "required": ["wrapped_path"] },
      "then": { "required": ["wrapped"], "properties": { "wrapped": { "const": true } } },
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
          "$ref": "#/$defs/word",
          "writeOnly": true
        },
        "wrapped": {
          "title": "Wrapped",
          "description": "true: it is a wrapping token, which is exchanged for the token once, at the start.",
          "type": "boolean",
          "default": false
        },
        "wrapped_path": {
          "title": "Path of the wrapped token",
          "description": "creation_path that the wrapping token must have, checked before it is used up. Default: any.",
          "$ref": "#/$defs/serverPath",
          "examples": ["auth/token/create"]
        }
      }
    },
    "auth": {
      "title": "Login",
      "description": "How to log in for a token, and for the next one before it meets its max TTL. In place of token.",
      "type": "object",
      "required": ["method"],
      "additionalProperties": false,
      "properties": {
        "method": {
          "title": "Method",
          "description": "Auth method of the server. cert presents tls.client_cert, with which the token is renewed, too.",
          "enum": ["approle", "kubernetes", "jwt", "cert", "userpass", "ldap"]
        },
        "mount": {
          "title": "Mount",
          "description": "Path at which the auth method is mounted. Default: auth/ and the name of the method.",
          "$ref": "#/$defs/serverPath",
          "examples": ["auth/approle"]
        },
        "namespace": {
          "title": "Namespace of the login",
          "description": "Path of the namespace of the mount. Default: the issuer's namespace.",
          "type": "string",
          "pattern": "^[!-~]*$",
          "examples": ["team-a"]
        },
        "role_id": {
          "title": "role_id",
          "description": "Where the role_id is found, of method approle: exactly one of file, env and value.",
          "type": "object",
          "oneOf": [{ "required": ["file"] }, { "required": ["env"] }, { "required": ["value"] }],
          "additionalProperties": false,
          "properties": {
            "file": { "title": "role_id file", "description": "Absolute path of a file that holds the role_id.", "$ref": "#/$defs/absolutePath" },
            "env": { "title": "role_id variable", "description": "Name of an environment variable of the host that holds the role_id.", "$ref": "#/$defs/variable" },
            "value": { "title": "The role_id itself", "description": "The role_id.", "$ref": "#/$defs/word", "writeOnly": true }
          }
        },
        "secret_id": {
          "title": "secret_id",
          "description": "Where the secret_id is found, of method approle: exactly one of file, env and value. Left out: for a role with bind_secret_id=false.",
          "type": "object",
          "oneOf": [{ "required": ["file"] }, { "required": ["env"] }, { "required": ["value"] }],
          "additionalProperties": false,
          "allOf": [
            { "if": { "required": ["wrapped_path"] }, "then": { "required": ["wrapped"], "properties": { "wrapped": { "const": true } } } },
            { "if": { "required": ["remove_after_reading"], "properties": { "remove_after_reading": { "const": true } } }, "then": { "required": ["file"] } }
          ],
          "properties": {
            "file": { "title": "secret_id file", "description": "Absolute path of a file that holds the secret_id. It is read again whenever it changes.", "$ref": "#/$defs/absolutePath" },
            "env": { "title": "secret_id variable", "description": "Name of an environment variable of the host that holds the secret_id.", "$ref": "#/$defs/variable" },
            "value": { "title": "The secret_id itself", "description": "The secret_id. Better kept in a file.", "$ref": "#/$defs/word", "writeOnly": true },
            "wrapped": {
              "title": "Wrapped",
              "description": "true: it is a wrapping token, which is exchanged for the secret_id once; that is kept in memory, and handed on in a swap.",
              "type": "boolean",
              "default": false
            },
            "wrapped_path": {
              "title": "Path of the wrapped secret_id",
              "description": "creation_path that the wrapping token must have, checked before it is used up. Default: any.",
              "$ref": "#/$defs/serverPath",
              "examples": ["auth/approle/role/web/secret-id"]
            },
            "remove_after_reading": {
              "title": "Remove after reading",
              "description": "true: the file is removed, but only once a token that was made with it is proven to work.",
              "type": "boolean",
              "default": false
            }
          }
        },
        "role": {
          "title": "Role",
          "description": "Name of the role, of methods kubernetes and jwt. jwt: may be left out where the mount has a default_role.",
          "$ref": "#/$defs/name"
        },
        "jwt": {
          "title": "JWT",
          "description": "Where the JWT is found, of methods kubernetes and jwt: exactly one of file, env and value. Default of kubernetes: the file of the pod's service account.",
          "type": "object",
          "oneOf": [{ "required": ["file"] }, { "required": ["env"] }, { "required": ["value"] }],
          "additionalProperties": false,
          "properties": {
            "file": { "title": "JWT file", "description": "Absolute path of a file that holds the JWT. It is read again whenever it changes.", "$ref": "#/$defs/absolutePath" },
            "env": { "title": "JWT variable", "description": "Name of an environment variable of the host that holds the JWT.", "$ref": "#/$defs/variable" },
            "value": { "title": "The JWT itself", "description": "The JWT. Better kept in a file that is refreshed.", "type": "string", "pattern": "^[ \\t\\r\\n]*(?![\"'`{\\[])[!-,\\-/-~]+\\.[!-,\\-/-~]+\\.[!-,\\-/-~]*[ \\t\\r\\n]*$", "writeOnly": true }
          }
        },
        "name": {
          "title": "Certificate role",
          "description": "Name of the role, of method cert. Default: any role that accepts the certificate.",
          "$ref": "#/$defs/name"
        },
        "username": {
          "title": "User name",
          "description": "Name of the user, of methods userpass and ldap.",
          "$ref": "#/$defs/name"
        },
        "password": {
          "title": "Password",
          "description": "Where the password is found, of methods userpass and ldap: exactly one of file, env and value.",
          "type": "object",
          "oneOf": [{ "required": ["file"] }, { "required": ["env"] }, { "required": ["value"] }],
          "additionalProperties": false,
          "properties": {
            "file": { "title": "Password file", "description": "Absolute path of a file that holds the password, and perhaps one line end, which does not count.", "$ref": "#/$defs/absolutePath" },
            "env": { "title": "Password variable", "description": "Name of an environment variable of the host that holds the password.", "$ref": "#/$defs/variable" },
            "value": { "title": "The password itself", "description": "The password, in ASCII. Better kept in a file.", "type": "string", "pattern": "^[\\u0001-\\u007f]*[\\u0001-\\u0009\\u000b-\\u007f]\\n?(?![\\s\\S])", "writeOnly": true }
          }
        },
        "relogin": {
          "title": "Next login",
          "description": "When to log in for the next token. The defaults suit all but special cases.",
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "ahead": {
              "title": "Ahead",
              "description": "Duration, 1s to 365d: how long before the token's max TTL to log in, but at most half of its life. auto: half a lease at least, a tenth of the life, a day at most.",
              "oneOf": [{ "const": "auto" }, { "$ref": "#/$defs/duration", "minimum": 1, "maximum": 31536000 }],
              "default": "auto"
            },
            "rehearse": {
              "title": "Rehearsal",
              "description": "Duration, up to 365d: log in this often although nothing asks for it, so that material that has become useless is noticed. 0: never.",
              "$ref": "#/$defs/duration",
              "maximum": 31536000,
              "default": "0s"
            }
          }
        },
        "revoke_old": {
          "title": "Revoke the old token",
          "description": "Duration, up to 1d: how long after its successor is in use a token that a login made is revoked. Its leases, and certificates issued with generate_lease, end with it. never: it dies by itself.",
          "oneOf": [{ "const": "never" }, { "$ref": "#/$defs/duration", "maximum": 86400 }],
          "default": "never"
        },
        "revoke_on_stop": {
          "title": "Revoke at a stop",
          "description": "true: a token that a login made is revoked when the issuer stops, but not in a swap; the file of the sink is removed.",
          "type": "boolean",
          "default": false
        },
        "sink": {
          "title": "Sink",
          "description": "File that shows the token in use to others. At a start, a living token in it is used before any login.",
          "type": "object",
          "required": ["file"],
          "additionalProperties": false,
          "properties": {
            "file": { "title": "Sink file", "description": "Absolute path of the file. It is replaced in one step whenever the token changes.", "$ref": "#/$defs/absolutePath", "pattern": "[^/]$" },
            "mode": { "title": "Mode", "description": "Mode of the file in octal; others may read it at most.", "type": "string", "pattern": "^0[46][0246][04]$", "default": "0600" },
            "owner": { "title": "Owner", "description": "Name or number of the user that owns the file. Default: the host's.", "type": "string", "minLength": 1, "pattern": "^[^\\u0000-\\u001f\\u007f]*$" },
            "group": { "title": "Group", "description": "Name or number of the group of the file. Default: the host's.", "type": "string", "minLength": 1, "pattern": "^[^\\u0000-\\u001f\\u007f]*$" }
          }
        }
      },
      "allOf": [
        {
          "if": { "properties": { "method": { "const": "approle" } } },
          "then": { "required": ["role_id"] },
          "else": { "properties": { "role_id": false, "secret_id": false } }
        },
        {
          "if": { "properties": { "method": { "enum": ["kubernetes", "jwt"] } } },
          "then": true,
          "else": { "properties": { "role": false, "jwt": false } }
        },
        { "if": { "properties": { "method": { "const": "kubernetes" } } }, "then": { "required": ["role"] } },
        { "if": { "properties": { "method": { "const": "jwt" } } }, "then": { "required": ["jwt"] } },
        { "if": { "not": { "properties": { "method": { "const": "cert" } } } }, "then": { "properties": { "name": false } } },
        {
          "if": { "properties": { "method": { "enum": ["userpass", "ldap"] } } },
          "then": { "required": ["username", "password"] },
          "else": { "properties": { "username": false, "password": false } }
        }
      ]
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
  "if": { "required": ["auth"], "properties": { "auth": { "type": "object", "properties": { "method": { "const": "cert" } } } } },
  "then": { "required": ["tls"], "properties": { "tls": { "required": ["client_cert"] } } },
  "$defs": {
    "word": {
      "$comment": "Quotes, JSON, assignments and words for nothing are visibly no secret.",
      "type": "string",
      "pattern": "^[ \\t\\r\\n]*(?![\"'`{\\[]|(?:null|undefined|<nil>)[ \\t\\r\\n]*$|[A-Za-z0-9_]+=+[^= \\t\\r\\n])[!-~]+[ \\t\\r\\n]*$"
    },
    "variable": {
      "type": "string",
      "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"
    },
    "name": {
      "type": "string",
      "minLength": 1,
      "maxLength": 512,
      "pattern": "^[^\\u0000-\\u001f\\u007f]*$"
    },
    "serverPath": {
      "type": "string",
      "pattern": "^auth/(?!/)(?!.*//)(?!.*/\\.)(?!\\.)[!-\"$&->@-\\[\\]-~]+$"
    },
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
