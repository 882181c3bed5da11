#pragma once

namespace issuer::commands {

/// What the program answers to its caller, as sysexits.h numbers it.
enum ExitCode : int
{
	exitOk = 0,
	exitFindings = 1,     ///< it has looked, and there are problems
	exitUsage = 64,       ///< an unknown command or option
	exitData = 65,        ///< the file given is not a plugin this host would load
	exitUnavailable = 69, ///< no running host answers
	exitSoftware = 70,    ///< something did not stop in time, or this program is at fault
	exitOutput = 74,      ///< it is done, but what was to be told could not be written
	exitTemporary = 75,   ///< it did not come to pass, and everything is as before
	exitConfig = 78,      ///< the configuration cannot be used, or leaves nothing to keep alive
};

} // namespace issuer::commands
