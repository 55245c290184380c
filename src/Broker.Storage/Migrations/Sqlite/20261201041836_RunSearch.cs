using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class RunSearch : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "ix_step_paused",
                table: "step",
                column: "run_id",
                filter: "status = 8");

            migrationBuilder.CreateIndex(
                name: "ix_run_failed",
                table: "run",
                columns: new[] { "workflow", "created_at", "id" },
                filter: "error IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_run_failed_id",
                table: "run",
                column: "id",
                filter: "error IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_step_paused",
                table: "step");

            migrationBuilder.DropIndex(
                name: "ix_run_failed",
                table: "run");

            migrationBuilder.DropIndex(
                name: "ix_run_failed_id",
                table: "run");
        }
    }
}
