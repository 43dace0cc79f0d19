#!/bin/bash -e
# pi-gen's EXPORT_CONFIG_DIR: takes the place of its export-image, which wants loop devices and another machine-id.
mkdir -p "${STAGE_WORK_DIR}" "${DEPLOY_DIR}"
