# Functions whose updates are rolled out by version. SAM publishes a version where a function's own files change, and not
# where a layer does (aws-sam #3610). So such a function carries a digest of what its layers are built from.
.SILENT:
build-%:
	cp app.py "$(ARTIFACTS_DIR)"
	$(MAKE) --no-print-directory -C ../../layers digest > "$(ARTIFACTS_DIR)/layers.sha256"
