#pragma once

#include "temp_dir.h"
#include "test_pki.h"

namespace issuer::test {

/// Certificates made once for all tests of a program.
struct Pki
{
	TempDir directory;
	TestPki authority{directory.path()};
	Identity server = authority.server();

	static Pki& shared()
	{
		static Pki pki;
		return pki;
	}
};

} // namespace issuer::test
