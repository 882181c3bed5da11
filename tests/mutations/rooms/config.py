"""vault_plugin/config: JSON to Config."""

MUTATIONS = [
    ("short secret not wiped", "vault_plugin/config/secret_text.cpp", "plain.reserve(written.size() + 16);",
     "plain.reserve(0);", "SECURITY: a token shorter than 16 characters is overwritten too", "config_test:SecretText.*"),
]
