#pragma once

#include "fake_vault/connection.h"
#include "fake_vault/message.h"

namespace issuer::test {

class FakeVault;

/// What can be asked of a fake Vault beside the API of a real one, for whoever is in another process.
///
///     GET    /fake/log      what it was asked, and what it answered
///     POST   /fake/faults   {"fault":"error","status":503,"call":"renew-self","times":3}: one more fault
///     DELETE /fake/faults   all is well again; requests that hang are answered now
///     POST   /fake/node     {"state":"leaderless","for":"15s"}: what this server is in its cluster
///     POST   /fake/outage   {"for":"5s"}: connections are refused for so long
[[nodiscard]] bool isControl(const ApiRequest& request);
[[nodiscard]] Connection::Answer control(FakeVault& vault, const ApiRequest& request);

} // namespace issuer::test
