# cpack -G DEB: one package a component, named issuer-<component>.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME issuer)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # else it precedes each package's own
set(CPACK_PACKAGE_VENDOR "Issuer Lifecycle")
set(CPACK_PACKAGE_CONTACT "Issuer Lifecycle maintainers <maintainers@issuer-lifecycle.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
	OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL plugin-api-dev)
if(TARGET issuer-host)
	list(APPEND CPACK_COMPONENTS_ALL host)
endif()
if(TARGET vault_plugin)
	list(APPEND CPACK_COMPONENTS_ALL plugin-vault)
endif()

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_HOST_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_HOST_PACKAGE_RECOMMENDS issuer-plugin-vault)
set(CPACK_DEBIAN_HOST_PACKAGE_SUGGESTS "prometheus")
set(CPACK_DEBIAN_HOST_DESCRIPTION "keeps issuers' credentials alive: the host
Loads issuer plugins at run time, swaps them while they run, and tells what becomes of the
credentials they keep alive.")

set(CPACK_DEBIAN_PLUGIN-VAULT_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PLUGIN-VAULT_PACKAGE_ENHANCES issuer-host)
set(CPACK_DEBIAN_PLUGIN-VAULT_DESCRIPTION "keeps Vault and OpenBao tokens alive: the plugin
Renews a token at half of its lease, survives outages of the server, and foresees when
the token can be renewed no further.")

# issuer_maintainer_scripts(<component> <template prefix> <script>...)
function(issuer_maintainer_scripts component prefix)
	set(scripts)
	foreach(script IN LISTS ARGN)
		set(file "${CMAKE_CURRENT_BINARY_DIR}/debian/${component}/${script}")
		configure_file(debian/${prefix}-${script}.in "${file}" @ONLY
			FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
		list(APPEND scripts "${file}")
	endforeach()
	string(TOUPPER ${component} upper)
	set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA "${scripts}" PARENT_SCOPE)
endfunction()
issuer_maintainer_scripts(host host postinst prerm postrm)
issuer_maintainer_scripts(plugin-vault plugin preinst postinst postrm)

set(CPACK_DEBIAN_PLUGIN-API-DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PLUGIN-API-DEV_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PLUGIN-API-DEV_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_PLUGIN-API-DEV_DESCRIPTION "contract between Issuer Lifecycle hosts and plugins
C headers, the rules in words, and examples in C and Python.")

include(CPack)
