# What `make install` puts where, and `make uninstall` removes again.

.PHONY: install uninstall
