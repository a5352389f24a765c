-- Of a call that nobody answered, `service`, `model` and `provider` are those that were asked last. An index of before is removed
-- rather than migrated: the journal has what it lacks.
UPDATE followed SET seq = 0;
