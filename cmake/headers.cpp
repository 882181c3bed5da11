// Only here for the precompiled headers of targets that have no other source.
