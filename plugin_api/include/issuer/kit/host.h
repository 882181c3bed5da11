/// The host's side of the contract: an instance as a C++ object that cannot be used in the wrong order. Loading the
/// library stays the host's; the kit wants its table, through a pointer that keeps the library loaded.
///
///     auto plugin = std::shared_ptr<const issuer_lifecycle>(library, &table);
///     auto instance = issuer::kit::Instance::create(plugin, R"({"address": "https://vault.example:8200"})", log);
///     instance->setRecorder(recorder);
///     instance->start();
///     …                                          // ~Instance stops it, waits, and destroys it
#pragma once

#include <issuer/kit/instance.h>
#include <issuer/kit/listener.h>
#include <issuer/kit/swap.h>
#include <issuer/kit/table.h>
