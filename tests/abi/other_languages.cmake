# The hosts in Go and Rust, each built and run where its toolchain is. No package of either is downloaded: they need
# nothing but their standard libraries.
set(goHost "${CMAKE_CURRENT_BINARY_DIR}/issuer-go-host")
set(rustTarget "${CMAKE_CURRENT_BINARY_DIR}/rust")
set(rustHost "${rustTarget}/release/issuer-rust-host")

find_program(GO_PROGRAM go)
if(GO_PROGRAM)
	set(goEnvironment "GOCACHE=${CMAKE_CURRENT_BINARY_DIR}/go-cache" GOPROXY=off GOTOOLCHAIN=local GOFLAGS=-buildvcs=false)
	add_test(NAME Examples.GoHostBuilds COMMAND "${GO_PROGRAM}" build -o "${goHost}" ./cmd/issuer-go-host
		WORKING_DIRECTORY "${examples}/go")
	set_tests_properties(Examples.GoHostBuilds PROPERTIES
		TIMEOUT 300 FIXTURES_SETUP goHost ENVIRONMENT "${goEnvironment}")
	issuer_example_host_tests(Go NEEDS goHost "${goHost}")

	# The package's own tests: the original's renewal tests in our words, and 200 swaps, under the race detector.
	add_test(NAME Examples.GoPackageSwapsWithoutARace COMMAND "${GO_PROGRAM}" test -race -count=1 ./issuer
		WORKING_DIRECTORY "${examples}/go")
	set(plugins
		"ISSUER_PLUGIN=$<TARGET_FILE:vault_plugin>"
		"ISSUER_PLUGIN_NEXT=$<TARGET_FILE:vault_plugin_next>"
		"ISSUER_PLUGIN_THAT_NEVER_STARTS=${CMAKE_CURRENT_BINARY_DIR}/fixtures/start_unavailable.so")
	set_tests_properties(Examples.GoPackageSwapsWithoutARace PROPERTIES
		TIMEOUT 300 FIXTURES_REQUIRED goHost ENVIRONMENT "${goEnvironment};${plugins}")
else()
	issuer_skipped_test(Examples.GoHostDrivesPlugins "go is not installed")
endif()

find_program(CARGO_PROGRAM cargo)
if(CARGO_PROGRAM)
	add_test(NAME Examples.RustHostBuilds
		COMMAND "${CARGO_PROGRAM}" build --release --offline --locked --target-dir "${rustTarget}"
		WORKING_DIRECTORY "${examples}/rust")
	set_tests_properties(Examples.RustHostBuilds PROPERTIES TIMEOUT 300 FIXTURES_SETUP rustHost)
	issuer_example_host_tests(Rust NEEDS rustHost "${rustHost}")
else()
	issuer_skipped_test(Examples.RustHostDrivesPlugins "cargo is not installed")
endif()
