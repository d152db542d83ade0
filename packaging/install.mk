# What `make install` puts where, and `make uninstall` removes again.

comma       := ,
unitdir     := $(PREFIX)/lib/systemd/system
sysusersdir := $(PREFIX)/lib/sysusers.d

ROLES := ntpd-net ntpd-clock ntpd-keys ntpd-resolve
IN_SBIN := $(filter ntpd ntp-keygen,$(PRESENT))
IN_BIN := $(filter ntpq,$(PRESENT))
# The second name of ntp-keygen: the program of ntpd 4.1.
GENKEYS := $(if $(filter ntp-keygen,$(IN_SBIN)),$(sbindir)/ntp_genkeys)
IN_LIBEXEC := $(filter $(ROLES),$(PRESENT))
MAN_PAGES := $(wildcard packaging/man/*.[1-9])
EXAMPLES := $(wildcard packaging/examples/*)
UNITS := $(wildcard packaging/systemd/*)
DOCS := $(wildcard README.md LICENSE docs/*.md docs/*.json)
PICTURES := $(wildcard docs/pictures/*.svg)

man_place = $(mandir)/man$(subst .,,$(suffix $(1)))/$(notdir $(1))
INSTALLED := $(addprefix $(sbindir)/,$(IN_SBIN)) $(GENKEYS) $(addprefix $(bindir)/,$(IN_BIN)) \
             $(addprefix $(libexecdir)/,$(IN_LIBEXEC)) $(foreach m,$(MAN_PAGES),$(call man_place,$(m))) \
             $(addprefix $(unitdir)/,$(notdir $(UNITS))) \
             $(sysusersdir)/ntpward.conf \
             $(addprefix $(docdir)/,$(notdir $(DOCS))) \
             $(addprefix $(docdir)/pictures/,$(notdir $(PICTURES))) $(addprefix $(docdir)/examples/,$(notdir $(EXAMPLES)))

.PHONY: install uninstall
## make install         install below $(DESTDIR)$(PREFIX) (DESTDIR= PREFIX=/usr/local)
install: all
	@install -d $(addprefix $(DESTDIR),$(sort $(dir $(INSTALLED))))
	@install -m 755 $(addprefix $(BUILD)/bin/,$(IN_SBIN)) $(DESTDIR)$(sbindir)
	@$(if $(GENKEYS),ln -sf ntp-keygen $(DESTDIR)$(GENKEYS))
	@install -m 755 $(addprefix $(BUILD)/bin/,$(IN_BIN)) $(DESTDIR)$(bindir)
	@install -m 755 $(addprefix $(BUILD)/bin/,$(IN_LIBEXEC)) $(DESTDIR)$(libexecdir)
	@$(foreach m,$(MAN_PAGES),install -m 644 $(m) $(DESTDIR)$(call man_place,$(m)) &&) true
	@$(foreach u,$(UNITS),sed '/^ExecStart=/{s$(comma)/usr/sbin/$(comma)$(sbindir)/$(comma);s$(comma)/usr/bin/$(comma)$(bindir)/$(comma)}' \
	  $(u) >$(BUILD)/$(notdir $(u)) && install -m 644 $(BUILD)/$(notdir $(u)) $(DESTDIR)$(unitdir) &&) true
	@install -m 644 packaging/sysusers.d/ntpward.conf $(DESTDIR)$(sysusersdir)
	@install -m 644 $(DOCS) $(DESTDIR)$(docdir)
	@install -m 644 $(PICTURES) $(DESTDIR)$(docdir)/pictures
	@install -m 644 $(EXAMPLES) $(DESTDIR)$(docdir)/examples
	@echo "installed below $(DESTDIR)$(PREFIX)"

## make uninstall       remove what install put there
uninstall:
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	@for directory in $(docdir)/examples $(docdir)/pictures $(docdir) $(libexecdir); do \
	  rmdir "$(DESTDIR)$$directory" 2>/dev/null || true; done
