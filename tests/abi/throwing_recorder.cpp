// A callback that may throw must not compile, since an exception may not cross the contract: built twice by tests, with
// CALLBACK_NOEXCEPT as noexcept, which is fine, and as nothing, which must be refused.
#include "issuer/lifecycle.h"

static void record(void*, const issuer_event*) CALLBACK_NOEXCEPT {}

extern const issuer_recorder recorder;
const issuer_recorder recorder = {sizeof(issuer_recorder), 0, nullptr, record};
