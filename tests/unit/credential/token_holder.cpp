// Reads a token from the file that is its first argument, as the plugin does, and a text from the second, as any
// program does. Then it dies by abort(), and the test looks through the core dump for both.
#include "credential/token_file.h"

#include <cstdlib>
#include <fstream>
#include <string>

int main(int argc, char** argv)
{
	using namespace issuer::vault::credential;
	if (argc != 3) {
		return 2;
	}
	const auto found = lookAt(argv[1], {});
	std::string control;
	if (found.token.empty() || !(std::ifstream(argv[2]) >> control)) {
		return 3;
	}
	std::abort();
}
