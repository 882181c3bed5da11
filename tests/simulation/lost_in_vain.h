#pragma once

#include "chronicle.h"
#include "reserve.h"

#include <string_view>

namespace issuer::simulation {

/// The definition of the guarantee's breach, as reports print it.
inline constexpr std::string_view lostInVainMeans =
	"A token is lost in vain when its TTL ran out a second or more before its max TTL although it could have been "
	"renewed: from guard + gap + one round trip before its end until that end, the renewer was running and knew the "
	"token's life, the server would have granted each renewal it got, a way to it was open, and the network lost "
	"nothing. (gap = 1/16 of the lease, held within 100 and 500 ms; guard = the larger of gap and 4 round trips, of "
	"which the slowest that the network takes counts, or the slowest of the latest answers, less a quarter of the "
	"difference for each quicker one since.) Where connections have to "
	"be made, that is a second round trip and the resolver's time; a way is open where one endpoint is well and the "
	"resolver gives it, or gave it last; and each endpoint, connection or resolver that is not well costs an attempt "
	"and "
	"a pause more. Tokens that cannot be renewed, were revoked or used up, were granted their last lease with "
	"renewable:false, or were shortened by another client with no renewal since, are not lost in vain. A token that a "
	"new "
	"one is to replace is judged as any other until the server has accepted the new one; a new one, once the server "
	"accepts it. A token's end is the one that the answers told, or the later one of a renewal that the server did and "
	"whose answer never came, sent before that end. Of such an end it is unknown which of the unanswered renewals "
	"brought "
	"it: then the server must be well for a sixty-fourth of a lease longer, take no more than a gap to answer, and not "
	"have refused the token meanwhile.";

/// Returns the time before its end for which a way to the server must be open for the token to live. Each wrong way
/// that may be tried before costs an attempt, and the pause after it.
[[nodiscard]] Duration neededBefore(const World& world, const Reserve& reserve);

[[nodiscard]] bool lostInVain(const World& world, const Chronicle& chronicle, const Death& death);

} // namespace issuer::simulation
