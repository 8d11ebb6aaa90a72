/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration reader, and the identity file's, over any text. */
#include <stdlib.h>
#include <string.h>

#include "agent/config.h"
#include "agent/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ka_errbuf eb = {""};
	struct ka_rd_identity id;
	struct ka_config *cfg;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	/* An include would read this machine's files. */
	if (!strstr(text, "@include")) {
		if (ka_config_parse(&cfg, "fuzz", text, &eb) == 0)
			ka_config_free(cfg);
		else if (!eb.text[0])
			abort();
		(void)!ka_state_parse(&id, text);
	}
	free(text);
	return 0;
}
