#pragma once

#include "router.h"
#include "transport/places.h"
#include "ways.h"

#include <array>

namespace issuer::simulation {

/// The plugin's own table decides.
class PlacesRouter final : public Router
{
public:
	explicit PlacesRouter(const Topology& topology);

	void begin(Instant deadline) override;
	[[nodiscard]] Step next(Instant now) override;
	void nothingKept(int endpoint) override;
	[[nodiscard]] std::vector<int> resolved(const std::vector<int>& endpoints, Instant now) override;
	void resolverFailed(Instant now) override;
	void resolverIsSlow(Instant now) override;
	void dialFailed(int endpoint, Instant now) override;
	void goodReply(int endpoint, Duration firstByteAfter, Instant now) override;
	[[nodiscard]] bool badReply(int endpoint, Instant now) override;
	[[nodiscard]] bool keptSilent(int endpoint, Instant now) override;
	void keptClosed() override;
	[[nodiscard]] Duration longestAge() const override;

private:
	using Places = vault::transport::Places;

	[[nodiscard]] int indexOf(Places::EndpointId id);

	Places _places;
	std::vector<Places::PlaceId> _ids;
	Places::Attempt _attempt;
	std::array<Places::EndpointId, mostEndpoints> _endpoints{};
};

} // namespace issuer::simulation
