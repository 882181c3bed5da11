#pragma once

#include "base/time.h"

namespace issuer::vault::renewal {

using namespace std::chrono_literals;

/// The figures of the renewal rules, as data. The first five are the configuration's; the others are the rules' own.
struct Policy
{
	double fraction = 0.5;           ///< renew when this share of a lease is spent
	double jitter = 0.1;             ///< up to this share of the interval early, never late
	Duration minInterval = 1s;       ///< between two renewals that succeed
	Duration requestTimeout = 30s;   ///< longest life of one attempt
	Duration increment{};            ///< asked for at each renewal; 0: what the server has set
};

} // namespace issuer::vault::renewal
