#pragma once

#include "fake_vault/connection.h"
#include "fake_vault/message.h"

namespace issuer::test {

class FakeVault;

/// Control of a fake Vault by another process, beside the API of a real one.
///
/// GET    /fake/log      the requests and their answers
/// POST   /fake/faults   {"fault":"error","status":503,"call":"renew-self","times":3}: adds a fault
/// DELETE /fake/faults   ends all faults; requests that hang are answered now
/// POST   /fake/node     {"state":"leaderless","for":"15s"}: sets the state of this server in its cluster
/// POST   /fake/outage   {"for":"5s"}: refuses connections for so long
[[nodiscard]] bool isControl(const ApiRequest& request);
[[nodiscard]] Connection::Answer control(FakeVault& vault, const ApiRequest& request);

} // namespace issuer::test
