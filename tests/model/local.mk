# Skipped without spin.
dist_check_SCRIPTS += tests/model/test_model.py

EXTRA_DIST += tests/model/resume.pml
