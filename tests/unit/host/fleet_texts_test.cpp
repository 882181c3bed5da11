#include "observe/fleet/fleet.h"

#include "told_events.h"

#include <gtest/gtest.h>

namespace issuer::observe {
namespace {

using namespace std::chrono_literals;

TEST(TheTextsOfAFleet, AreCutBetweenCharactersWhereverTheseEnd)
{
	for (const std::string before : {"", "x", "xx", "xxx"}) {
		std::string text = before;
		while (text.size() <= Fleet::longestText) {
			text += "😀";
		}
		Fleet fleet;
		fleet.admit({"a"});
		issuer_event event = test::state(ISSUER_STATE_RETRYING, Fleet::systemNow(), 1h);
		event.detail = {text.data(), text.size()};
		fleet.event("a", event);
		const std::string kept = fleet.all().front().text;
		EXPECT_TRUE(text.starts_with(kept.substr(0, kept.size() - std::string("…").size()))) << kept;
		EXPECT_TRUE(kept.ends_with("…")) << kept;
	}
}

} // namespace
} // namespace issuer::observe
