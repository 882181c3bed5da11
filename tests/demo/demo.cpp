#include "story.h"

#include <cstring>
#include <iostream>

/// demo: shows and checks the purpose of this project in less than a minute.
int main(int argc, char** argv)
{
	using namespace issuer::demo;
	if (argc > 1) {
		const bool help = std::strcmp(argv[1], "--help") == 0;
		(help ? std::cout : std::cerr)
			<< "Usage: demo\n\nStarts a fake Vault and issuer-host with four issuers, lets things happen to them, "
			   "and\n"
			   "checks in the host's journal and the server's log that they went as told. Takes about 30 s and "
			   "touches\n"
			   "nothing outside a temporary directory. Exit codes: 0 all was seen; 1 something was not.\n";
		return help ? 0 : 64;
	}
	Setup setup;
	try {
		Story story(setup, {DEMO_HOST, DEMO_FAKE_VAULT, DEMO_PLUGIN, DEMO_NEXT_PLUGIN});
		story.play();
		return 0;
	}
	catch (const std::exception& failure) {
		std::cout.flush();
		std::cerr << "\ndemo: failed: " << failure.what() << '\n';
		return 1;
	}
}
