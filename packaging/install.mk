# What `make install` puts where, and `make uninstall` removes again.

unitdir     := $(PREFIX)/lib/systemd/system
sysusersdir := $(PREFIX)/lib/sysusers.d

ROLES := ntpd-net ntpd-clock ntpd-keys ntpd-resolve
IN_SBIN := $(filter ntpd ntp-keygen,$(PRESENT))
IN_BIN := $(filter ntpq,$(PRESENT))
IN_LIBEXEC := $(filter $(ROLES),$(PRESENT))
MAN_PAGES := $(wildcard packaging/man/*.[1-9])
EXAMPLES := $(wildcard packaging/examples/*)
DOCS := $(wildcard README.md LICENSE docs/*.md)

man_place = $(mandir)/man$(subst .,,$(suffix $(1)))/$(notdir $(1))
INSTALLED := $(addprefix $(sbindir)/,$(IN_SBIN)) $(addprefix $(bindir)/,$(IN_BIN)) \
             $(addprefix $(libexecdir)/,$(IN_LIBEXEC)) $(foreach m,$(MAN_PAGES),$(call man_place,$(m))) \
             $(unitdir)/ntpward.service $(sysusersdir)/ntpward.conf \
             $(addprefix $(docdir)/,$(notdir $(DOCS))) $(addprefix $(docdir)/examples/,$(notdir $(EXAMPLES)))

.PHONY: install uninstall
## make install         install below $(DESTDIR)$(PREFIX) (DESTDIR= PREFIX=/usr/local)
install: all
	@install -d $(addprefix $(DESTDIR),$(sort $(dir $(INSTALLED))))
	@install -m 755 $(addprefix $(BUILD)/bin/,$(IN_SBIN)) $(DESTDIR)$(sbindir)
	@install -m 755 $(addprefix $(BUILD)/bin/,$(IN_BIN)) $(DESTDIR)$(bindir)
	@install -m 755 $(addprefix $(BUILD)/bin/,$(IN_LIBEXEC)) $(DESTDIR)$(libexecdir)
	@$(foreach m,$(MAN_PAGES),install -m 644 $(m) $(DESTDIR)$(call man_place,$(m)) &&) true
	@sed 's,/usr/sbin/,$(sbindir)/,' packaging/systemd/ntpward.service >$(BUILD)/ntpward.service
	@install -m 644 $(BUILD)/ntpward.service $(DESTDIR)$(unitdir)
	@install -m 644 packaging/sysusers.d/ntpward.conf $(DESTDIR)$(sysusersdir)
	@install -m 644 $(DOCS) $(DESTDIR)$(docdir)
	@install -m 644 $(EXAMPLES) $(DESTDIR)$(docdir)/examples
	@echo "installed below $(DESTDIR)$(PREFIX)"

## make uninstall       remove what install put there
uninstall:
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	@for directory in $(docdir)/examples $(docdir) $(libexecdir); do \
	  rmdir "$(DESTDIR)$$directory" 2>/dev/null || true; done
