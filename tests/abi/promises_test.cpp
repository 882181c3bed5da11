// Words and macros of the contract that plugins and hosts in the field were compiled with. All other promises of
// CONTRACT.md are asked of the example plugin by `issuer-host validate`.
#include "issuer/control.h"
#include "issuer/credential.h"
#include "issuer/diagnose.h"
#include "issuer/handover.h"
#include "issuer/health.h"
#include "issuer/lifecycle.h"
#include "issuer/secrets.h"

#include <gtest/gtest.h>

namespace issuer::test {
namespace {

TEST(Growth, AFieldIsSeenOnlyWithinWhatItsWriterKnew)
{
	issuer_lifecycle table = {};
	table.struct_size = sizeof table;
	EXPECT_TRUE(ISSUER_HAS(&table, issuer_lifecycle, get_extension));
	table.struct_size = sizeof table - 1;
	EXPECT_FALSE(ISSUER_HAS(&table, issuer_lifecycle, get_extension));
	EXPECT_TRUE(ISSUER_HAS(&table, issuer_lifecycle, set_recorder));
}

TEST(Names, OfTheSymbolAndOfExtensionsAreForEver)
{
	EXPECT_STREQ(ISSUER_LIFECYCLE_SYMBOL, "issuer_lifecycle_v1");
	EXPECT_STREQ(ISSUER_EXT_HEALTH, "issuer.health/1");
	EXPECT_STREQ(ISSUER_EXT_CONTROL, "issuer.control/1");
	EXPECT_STREQ(ISSUER_EXT_HANDOVER, "issuer.handover/1");
	EXPECT_STREQ(ISSUER_EXT_CREDENTIAL, "issuer.credential/1");
	EXPECT_STREQ(ISSUER_EXT_DIAGNOSE, "issuer.diagnose/1");
	EXPECT_STREQ(ISSUER_EXT_SECRETS, "issuer.secrets/1");
}

} // namespace
} // namespace issuer::test
