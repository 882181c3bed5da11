#include "credential/source.h"

#include "reader_fixture.h"
#include "temp_dir.h"

namespace issuer::vault::credential {
namespace {

using namespace std::chrono_literals;

TEST(ASourceThatIsClosed, LooksAtItsFileNoMoreAndIsToldNothing)
{
	const issuer::test::TempDir dir;
	test::Time time;
	test::Hands hands;
	test::Hears listener;
	Reader reader{hands.helper(), time, time, test::withoutHints()};
	Source source({Origin::Kind::file, dir.write("token", "s.ONE").string(), {}});
	source.open(reader, listener);
	EXPECT_EQ(source.update().kind, Source::Update::Kind::first);
	source.close();
	const int told = listener.told;
	const int looks = hands.taken;
	dir.write("token", "s.TWO");
	time.pass(2min);
	EXPECT_EQ(listener.told, told);
	EXPECT_EQ(hands.taken, looks);
	EXPECT_EQ(source.update().kind, Source::Update::Kind::none);
}

} // namespace
} // namespace issuer::vault::credential
