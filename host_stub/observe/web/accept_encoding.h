#pragma once

#include <string_view>

namespace issuer::observe::web {

/// Returns whether an answer is sent with gzip.
enum class Packing
{
	never,
	ifLarge, ///< where it saves something
	always,  ///< the client refuses it otherwise
};

/// Reads the header Accept-Encoding, of RFC 9110: "gzip", "br;q=1.0, gzip;q=0.8, *;q=0". A weight that is none counts
/// as 0: the client does not take that encoding.
[[nodiscard]] Packing packingFor(std::string_view acceptEncoding);

} // namespace issuer::observe::web
