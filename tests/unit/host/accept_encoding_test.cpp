#include "observe/web/accept_encoding.h"

#include <gtest/gtest.h>

namespace issuer::observe::web {
namespace {

TEST(AcceptEncoding, IsGzipUnlessTheClientRefusesIt)
{
	const struct
	{
		const char* header;
		Packing packing;
	} cases[] = {
		{"", Packing::never},
		{"gzip", Packing::ifLarge},
		{"deflate, GZIP;q=0.5 , br", Packing::ifLarge},
		{"gzip;q=0", Packing::never},
		{"gzip; Q=0.000, *", Packing::never},
		{"gzip;q=0.001", Packing::ifLarge},
		{"gzip;q=many", Packing::never},
		{"deflate, br", Packing::never},
		{"*", Packing::ifLarge},
		{"*;q=0", Packing::never},
		{"*;q=0, gzip", Packing::always},
		{"identity;q=0, gzip", Packing::always},
		{"identity;q=0", Packing::never},
		{"identity;q=0, *", Packing::always},
		{"identity, *;q=0, gzip;q=1.0", Packing::ifLarge},
		{"notgzip, gzipped", Packing::never},
		{",;,", Packing::never},
	};
	for (const auto& [header, packing] : cases) {
		EXPECT_EQ(packingFor(header), packing) << header;
	}
}

} // namespace
} // namespace issuer::observe::web
